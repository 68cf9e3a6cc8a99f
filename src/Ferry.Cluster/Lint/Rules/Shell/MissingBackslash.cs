namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class MissingBackslash : DefectRule
{
    public const string Id = "FERRY-SH004";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A backslash is missing before a line of options",
        Why = "Without a backslash the line end ends the command. The next line begins with an option, which the shell takes for a program.",
        Symptom = "`-e: command not found`; the container runs without the options below, or docker has no image.",
        Fix = "End the line with a backslash.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.9.1 Simple Commands"],
        GoodExample = RuleExample.Shell("docker run -d --name decode \\\n  --ipc=host \\\n  -e UCX_TLS=rc,sm,self \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode \\\n  --ipc=host\n  -e UCX_TLS=rc,sm,self \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    protected override string Message => "The command ends behind this word: no backslash joins the next line.";
}
