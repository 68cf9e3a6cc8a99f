namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class EmptyLineInContinuation : DefectRule
{
    public const string Id = "FERRY-SH003";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "An empty line ends the continued command",
        Why = "The backslash above joins the empty line, whose end then ends the command; the options below run as commands of their own.",
        Symptom = "`--ipc=host: command not found`, and the container runs without what follows.",
        Fix = "Remove the empty line, or put a lone backslash on it.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.1 Escape Character"],
        GoodExample = RuleExample.Shell("docker run -d --name decode \\\n  --ipc=host \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode \\\n\n  --ipc=host \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    protected override string Message => "This empty line ends the command that was continued on the line above.";
}
