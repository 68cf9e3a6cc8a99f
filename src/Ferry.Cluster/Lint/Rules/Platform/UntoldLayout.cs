using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>The Gaudi node does not say its KV layout.</summary>
internal sealed class UntoldLayout : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU006",
        Severity = LintSeverity.Warning,
        Title = "The Gaudi node does not say its KV layout",
        Why = "Gaudi stores NHD, but the plain NixlConnector advertises HND, its default. Two Gaudi nodes agree in the same mistake; a node of " +
            "another vendor believes it and reads heads as tokens.",
        Symptom = "HTTP 200 and wrong tokens.",
        Fix = "Set VLLM_KV_CACHE_LAYOUT=NHD on the Gaudi node, and let the receiver permute (enable_permute_local_kv).",
        Versions = "vllm-gaudi all with NixlConnector",
        Sources = ["vllm-gaudi #421", "vllm-gaudi examples/nixl/run_hpu_disagg_hetero_combined.sh"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 -e VLLM_KV_CACHE_LAYOUT=NHD \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.IsCrossVendor || !pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl()) { return false; }
        var gaudi = pair.Decode.Accelerator.Kind == AcceleratorKind.Gaudi ? pair.Decode : pair.Prefill;
        if (gaudi.Accelerator.Kind != AcceleratorKind.Gaudi || gaudi.Environment.Has("VLLM_KV_CACHE_LAYOUT")) { return false; }
        findings.Report(Info, gaudi.TransferSpan(), $"{gaudi.Label()} stores NHD and tells its peer of another vendor HND, the connector's default. Set VLLM_KV_CACHE_LAYOUT=NHD and let the receiver permute.");
        return true;
    }
}
