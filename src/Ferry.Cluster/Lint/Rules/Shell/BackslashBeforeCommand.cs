namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class BackslashBeforeCommand : DefectRule
{
    public const string Id = "FERRY-SH014";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "The backslash above joins the next command to this one",
        Why = "The last line of a command ends in a backslash, so the next command becomes its arguments and never runs.",
        Symptom = "`vllm serve: error: unrecognized arguments: docker run -d …`; the second container is missing.",
        Fix = "Remove the backslash from the last line of the command.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.1 Escape Character"],
        GoodExample = RuleExample.Shell("docker run -d --name prefill vllm/vllm-openai:v0.14.0 \\\n  --model meta-llama/Llama-3.1-8B-Instruct\ndocker run -d --name decode vllm/vllm-openai:v0.14.0 \\\n  --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name prefill vllm/vllm-openai:v0.14.0 \\\n  --model meta-llama/Llama-3.1-8B-Instruct \\\ndocker run -d --name decode vllm/vllm-openai:v0.14.0 \\\n  --model meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    protected override string Message => "The line above ends in a backslash, so this command is an argument of the one before.";
}
