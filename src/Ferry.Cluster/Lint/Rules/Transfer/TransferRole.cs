using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Kv_role is missing or unknown.</summary>
internal sealed class TransferRole : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT005",
        Severity = LintSeverity.Error,
        Title = "kv_role is missing or unknown",
        Why = "vLLM requires kv_role as soon as kv_connector is set, and knows kv_producer, kv_consumer and kv_both.",
        Symptom = "`ValueError: Please specify kv_role when kv_connector is set, supported roles are …`.",
        Fix = "Set kv_producer on the prefill node, kv_consumer on the decode node, kv_both where LMCache is to load and save.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/kv_transfer.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"prefill"}'
            """),
    };

    private static readonly string[] Roles = ["kv_producer", "kv_consumer", "kv_both"];

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer is not { Json: { } json } transfer) { return; }
        foreach (var config in transfer.Connectors.Prepend(json).Distinct<DataNode>(ReferenceEqualityComparer.Instance))
        {
            if (config.Find("kv_connector") is not { } connector) { continue; }
            if (config.Find("kv_role") is not { } role)
            {
                findings.Report(Info, connector.Span, $"kv_connector is {connector.Text.Value}, but kv_role is not set. Add \"kv_role\":\"kv_producer\" (prefill), \"kv_consumer\" (decode) or \"kv_both\".");
                continue;
            }
            if (role.Text.HasUnknown || Roles.Contains(role.TryString())) { continue; }
            var meant = role.Text.Value.ToLowerInvariant() switch
            {
                var word when word.Contains("prod", StringComparison.Ordinal) || word.Contains("prefill", StringComparison.Ordinal) || word.Contains("send", StringComparison.Ordinal) => "kv_producer",
                var word when word.Contains("cons", StringComparison.Ordinal) || word.Contains("decode", StringComparison.Ordinal) || word.Contains("rec", StringComparison.Ordinal) => "kv_consumer",
                var word when word.Contains("both", StringComparison.Ordinal) => "kv_both",
                _ => null,
            };
            findings.Report(Info, role.Span, $"kv_role is {role.Text.Value}; it must be one of {string.Join(", ", Roles)}.{(meant is null ? "" : $" Write {meant}.")}",
                meant is null || role.Kind != DataKind.String ? [] : Edits.Replace(role.Text, meant));
        }
    }
}
