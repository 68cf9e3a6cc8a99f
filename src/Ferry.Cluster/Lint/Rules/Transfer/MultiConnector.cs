using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>MultiConnector without usable children.</summary>
internal sealed class MultiConnector : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT017",
        Severity = LintSeverity.Error,
        Title = "MultiConnector without usable children",
        Why = "MultiConnector reads kv_connector_extra_config.connectors, a list of whole configurations. Each child needs its own kv_connector " +
            "and kv_role; it loads from the first child that has tokens and saves to all, so the cheap tier stands first.",
        Symptom = "`AssertionError / KeyError 'connectors'` at start; or a child that never loads.",
        Fix = "Give it a list: local tier first, NIXL second.",
        Versions = "vLLM 0.9 and later",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/multi_connector.py", "vLLM #20609"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"MultiConnector","kv_role":"kv_both","kv_connector_extra_config":{"connectors":[{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"},{"kv_connector":"NixlConnector","kv_role":"kv_producer"}]}}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"MultiConnector","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer is not { Connector: { Value: "MultiConnector" } connector } transfer) { return; }
        var children = transfer.Extra?.Find("connectors");
        if (children is not { Kind: DataKind.Array, Items.Count: > 0 })
        {
            findings.Report(Info, connector.Span, "MultiConnector has no kv_connector_extra_config.connectors: it needs a list of whole configurations, the first of which that has tokens is loaded from.");
            return;
        }
        foreach (var child in children.Items.Where(child => child.Kind != DataKind.Object || child.Find("kv_connector") is null))
        {
            findings.Report(Info, child.Span, "A child of MultiConnector is a whole configuration: it needs its own kv_connector and kv_role.");
        }
    }
}
