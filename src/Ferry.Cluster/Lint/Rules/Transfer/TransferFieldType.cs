using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Field of the wrong type in --kv-transfer-config.</summary>
internal sealed class TransferFieldType : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT016",
        Severity = LintSeverity.Error,
        Title = "Field of the wrong type in --kv-transfer-config",
        Why = "The fields are typed. A string where a number or a boolean is meant is refused, or (in kv_connector_extra_config, which nobody " +
            "checks) is compared as a string: \"false\" is true in Python.",
        Symptom = "`ValidationError` at start; or the setting does the opposite of what it says.",
        Fix = "Write numbers and true/false without quotes.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/kv_transfer.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_connector_extra_config":{"enforce_handshake_compat":false}}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_connector_extra_config":{"enforce_handshake_compat":"false"}}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        // Dotted flags (--kv-transfer-config.kv_role=…) hold words that vLLM converts itself.
        if (engine.KvTransfer is not { Json: { } json } transfer || transfer.Flag.Name.Value.Contains('.', StringComparison.Ordinal)) { return; }
        foreach (var config in transfer.Connectors.Prepend(json).Distinct<DataNode>(ReferenceEqualityComparer.Instance))
        {
            CheckMembers(config, TransferFields.TypeOf, findings);
        }
        if (transfer.Nixl?.Find("kv_connector_extra_config") is { Kind: DataKind.Object } extra) { CheckMembers(extra, TransferFields.TypeOfNixlExtra, findings); }
    }

    private void CheckMembers(DataNode node, Func<string, string?> typeOf, FindingSink findings)
    {
        foreach (var (key, value) in node.Members.Select(member => (member.Key, member.Value)))
        {
            if (typeOf(key.Value) is not { } type || TransferFields.IsOfType(value, type) || value.Text.HasUnknown) { continue; }
            // vLLM itself turns these two strings into booleans, and its own examples rely on it.
            if (key.Value is "enable_permute_local_kv" or "enable_cross_layers_blocks" && value.TryString()?.ToLowerInvariant() is "true" or "false") { continue; }
            var isQuoted = value.TryString() is { } text && (type == "a number" ? double.TryParse(text, out _) : type == "true or false" && text.ToLowerInvariant() is "true" or "false");
            var written = value.Kind is DataKind.Array or DataKind.Object ? value.Kind.ToString().ToLowerInvariant() : value.Kind == DataKind.String ? $"\"{value.Text.Value}\"" : value.Text.Value;
            findings.Report(Info, value.Span, $"{key.Value} takes {type}, not {written}.{(isQuoted ? $" Write {value.Text.Value.ToLowerInvariant()} without quotes." : "")}");
        }
    }
}
