namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where a script is followed.</summary>
internal sealed class UnsetVariable : DefectRule
{
    public const string Id = "FERRY-SH010";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Warning,
        Title = "A variable is used that the script never sets",
        Why = "An unset variable is empty: an address becomes the default of the program, an option swallows the word behind it.",
        Symptom = "The engine listens at localhost, or `invalid reference format` from docker.",
        Fix = "Set it in the script, or require it at the top so that the script stops with a message.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.6.2 Parameter Expansion"],
        GoodExample = RuleExample.Shell("""
            : "${NODE_ADDRESS:?set it first}"
            docker run -d --name prefill -e VLLM_NIXL_SIDE_CHANNEL_HOST="${NODE_ADDRESS:?}" vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill -e VLLM_NIXL_SIDE_CHANNEL_HOST="$NODE_ADDRESS" vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override string Message => "This variable is not set in the script.";
}
