namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where environment variables and <c>--kv-transfer-config</c> are read.</summary>
internal sealed class VariableInSingleQuotes : DefectRule
{
    public const string Id = "FERRY-SH015";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A variable in single quotes is not replaced",
        Why = "Between single quotes the shell takes every character as it stands. JSON is usually quoted so, and a variable inside it reaches the program as its name.",
        Symptom = "The program looks up a host, a connector or a role that is literally called $NAME.",
        Fix = "End the single quotes before the variable, put it in double quotes, and begin them again: '{\"kv_ip\":\"'\"$ADDRESS\"'\"}'.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.2 Single-Quotes"],
        GoodExample = RuleExample.Shell("""
            ROLE=kv_both
            vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"'"$ROLE"'"}'
            """),
        BadExample = RuleExample.Shell("""
            ROLE=kv_both
            vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"$ROLE"}'
            """),
    };

    protected override string Message => "The shell does not replace a variable between single quotes.";
}
