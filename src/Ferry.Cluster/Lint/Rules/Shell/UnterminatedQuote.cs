namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class UnterminatedQuote : DefectRule
{
    public const string Id = "FERRY-SH009";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A quote is never closed",
        Why = "Everything up to the next quote of its kind, or to the end of the script, belongs to one word; no command of it runs.",
        Symptom = "`unexpected EOF while looking for matching `''`.",
        Fix = "Close the quote.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2 Quoting"],
        GoodExample = RuleExample.Shell("""
            vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}
            """),
    };

    protected override string Message => "The quote that begins here is never closed.";
}
