using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Dynamic KV scales cannot be handed over.</summary>
internal sealed class DynamicKvScales : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU009",
        Severity = LintSeverity.Error,
        Title = "Dynamic KV scales cannot be handed over",
        Why = "VLLM_DYNAMIC_KV_QUANT keeps a scale for each token beside the cache; connectors move the cache alone.",
        Symptom = "HTTP 200 and wrong tokens on the consumer.",
        Fix = "Use static scales from the checkpoint, or --kv-cache-dtype auto.",
        Versions = "vllm-gaudi with a KV connector",
        Sources = ["vLLM docs/features/nixl_connector_compatibility.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_DYNAMIC_KV_QUANT=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Connector is null || !engine.IsOn("VLLM_DYNAMIC_KV_QUANT")) { return; }
        findings.Report(Info, engine.Environment.Find("VLLM_DYNAMIC_KV_QUANT")!.Span, $"{engine.Name} scales KV dynamically, and no connector moves the scales. Take VLLM_DYNAMIC_KV_QUANT out.");
    }
}
