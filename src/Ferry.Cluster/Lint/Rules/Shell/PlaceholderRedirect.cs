namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class PlaceholderRedirect : DefectRule
{
    public const string Id = "FERRY-SH006";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Warning,
        Title = "A placeholder is still to be filled in, and the shell reads it as a redirection",
        Why = "Outside quotes `<name>` means: read standard input from the file `name`, write standard output to the next word. " +
            "The value that the placeholder stands for is missing, and a run of the text as it is can truncate a file.",
        Symptom = "`bash: prefill-node-ip: No such file or directory`.",
        Fix = "Put the value there, or a quoted variable that the script requires: `: \"${PREFILL_IP:?set it first}\"`.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.7 Redirection"],
        GoodExample = RuleExample.Shell("""
            : "${PREFILL_IP:?set it first}"
            docker run -d --name prefill -e VLLM_NIXL_SIDE_CHANNEL_HOST="$PREFILL_IP" vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill -e VLLM_NIXL_SIDE_CHANNEL_HOST=<prefill-node-ip> vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override string Message => "A placeholder stands here; the shell would read it as a redirection.";
}
