using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Connector that vLLM does not have.</summary>
internal sealed class ConnectorName : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT003",
        Severity = LintSeverity.Error,
        Title = "Connector that vLLM does not have",
        Why = "PyNcclConnector was removed in September 2025 and P2pNcclConnector in June 2026, SharedStorageConnector is now ExampleConnector, " +
            "and a misspelt name is looked up and not found.",
        Symptom = "`ValueError: Unsupported connector type: …`.",
        Fix = "Use a registered connector, or name its module with kv_connector_module_path.",
        Versions = "vLLM 0.11 and later",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/factory.py", "vLLM #40759"],
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
              --kv-transfer-config '{"kv_connector":"PyNcclConnector","kv_role":"kv_producer"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer is not { Json: { } json } transfer) { return; }
        foreach (var config in transfer.Connectors.Prepend(json).Distinct<DataNode>(ReferenceEqualityComparer.Instance))
        {
            if (config.Find("kv_connector") is not { Kind: DataKind.String, Text: { HasUnknown: false } name } || VllmConnectors.Registered.Contains(name.Value) ||
                config.Find("kv_connector_module_path") is not null)
            {
                continue;
            }
            if (VllmConnectors.Gone.TryGetValue(name.Value, out var gone))
            {
                findings.Report(Info, name.Span, $"{name.Value} {gone.Fate}. Use {gone.Use}.", gone.Use is null ? [] : Edits.Replace(name, gone.Use));
                continue;
            }
            var nearest = NearestName.Find(name.Value, VllmConnectors.Registered);
            findings.Report(Info, name.Span, $"vLLM has no connector {name.Value}.{(nearest is null ? $" It has {string.Join(", ", VllmConnectors.Registered)}." : $" Did you mean {nearest}?")}",
                nearest is null ? [] : Edits.Replace(name, nearest));
        }
    }
}
