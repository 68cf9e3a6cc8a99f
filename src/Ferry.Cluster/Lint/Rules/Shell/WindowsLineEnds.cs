namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class WindowsLineEnds : DefectRule
{
    public const string Id = "FERRY-SH005";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "Windows line ends break the continuation",
        Why = "The backslash quotes the carriage return and joins nothing, so the command ends at its first line; values keep a carriage return at their end.",
        Symptom = "`$'\\r': command not found`, `docker: invalid reference format`.",
        Fix = "Save the script with Unix line ends.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.1 Escape Character"],
        GoodExample = RuleExample.Shell("docker run -d --name decode \\\n  --ipc=host \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode \\\r\n  --ipc=host \\\r\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\r\n"),
    };

    protected override string Message => "A carriage return stands behind this backslash.";
}
