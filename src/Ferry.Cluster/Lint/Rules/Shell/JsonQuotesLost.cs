namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where <c>--kv-transfer-config</c> is read.</summary>
internal sealed class JsonQuotesLost : DefectRule
{
    public const string Id = "FERRY-SH008";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "JSON in double quotes loses its own quotes",
        Why = "Each double quote of the JSON ends or begins a quoted part of the word; the shell takes all of them out, and vLLM is given {kv_connector:NixlConnector}.",
        Symptom = "`vllm serve: error: argument --kv-transfer-config: Value {kv_connector:…} cannot be converted to …`.",
        Fix = "Put the JSON in single quotes.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.3 Double-Quotes"],
        GoodExample = RuleExample.Shell("""
            vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config "{"kv_connector":"NixlConnector","kv_role":"kv_both"}"
            """),
    };

    protected override string Message => "The shell takes the inner double quotes out of this JSON.";
}
