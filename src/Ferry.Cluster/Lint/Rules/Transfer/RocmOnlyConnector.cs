using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>MoRIIOConnector outside ROCm.</summary>
internal sealed class RocmOnlyConnector : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT004",
        Severity = LintSeverity.Error,
        Title = "MoRIIOConnector outside ROCm",
        Why = "The connector is AMD's: it is registered on ROCm only and speaks MORI-IO, which no Gaudi and no CUDA engine answers. It serves " +
            "MI300X to MI300X pairs.",
        Symptom = "`ValueError or ImportError` at start; a pair with another vendor never connects.",
        Fix = "Use NixlConnector or LMCacheConnectorV1 where the other side is not ROCm.",
        Versions = "every version",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/moriio"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"MoRIIOConnector","kv_role":"kv_consumer","kv_connector_extra_config":{"http_port":"8001"}}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.FindConnector(name => name == VllmConnectors.RocmOnly) is not { } connector || engine.Accelerator.Kind is AcceleratorKind.Rocm or AcceleratorKind.Unknown) { return; }
        findings.Report(Info, connector.Find("kv_connector")!.Span,
            $"{VllmConnectors.RocmOnly} exists on ROCm only, and {engine.Label()} runs on {engine.Accelerator.Name} ({engine.Accelerator.Reason}). Use NixlConnector or LMCacheConnectorV1 on both sides.");
    }
}
