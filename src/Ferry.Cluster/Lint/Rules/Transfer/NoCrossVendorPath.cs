using Ferry.Cluster.Lint.Rules.LmCache;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>NixlConnector, or LMCache's PD mode, between MI300X and Gaudi.</summary>
internal sealed class NoCrossVendorPath : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT014",
        Severity = LintSeverity.Error,
        Title = "No direct way carries KV between MI300X and Gaudi",
        Why = "A ROCm engine registers one region a layer with K and V packed per token (2D), a Gaudi engine two regions, K and V apart. The " +
            "plain connector refuses the pair by the number of regions; vllm-gaudi's joint path passes every size check and silently stores " +
            "interleaved bytes as halves (vLLM 0.26 and later). No released version of the two has a working path in this direction. LMCache's " +
            "prefill-decode mode between the two is a warning: Gaudi's own examples hand over through a shared store, and nobody has shown the mode there.",
        Symptom = "`AssertionError: Number of KV layers must match between prefill and decode`; with VLLM_HPU_NIXL_JOINT_KV=1: HTTP 200 and wrong " +
            "tokens.",
        Fix = "Let host memory and a converting store carry the KV: LMCacheConnectorV1 with kv_both on both sides and a shared remote (Ferry's " +
            "exchange over redis:// converts layout, block size and TP), or pair nodes of one vendor.",
        Versions = "vLLM up to and including 0.28, vllm-gaudi up to and including 0.28",
        Sources = ["vLLM docs/features/nixl_connector_compatibility.md", "vllm-gaudi #1588", "vllm-gaudi #1653", "vLLM #26744"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 -e LMCACHE_CHUNK_SIZE=256 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 -e LMCACHE_CHUNK_SIZE=256 -e PT_HPU_GPU_MIGRATION=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
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
        var kinds = (pair.Prefill.Accelerator.Kind, pair.Decode.Accelerator.Kind);
        if (kinds is not ((AcceleratorKind.Rocm, AcceleratorKind.Gaudi) or (AcceleratorKind.Gaudi, AcceleratorKind.Rocm))) { return false; }
        if (IsLmCachePd(pair.Prefill) && IsLmCachePd(pair.Decode))
        {
            findings.Report(Info, LintSeverity.Warning, pair.Decode.TransferSpan(),
                $"LMCache's prefill-decode mode has not been shown to work between {pair.Prefill.Label()} and {pair.Decode.Label()}. Use kv_both on both sides and a store that converts (ferry cache over redis://).");
            return true;
        }
        if (!pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl()) { return false; }
        findings.Report(Info, pair.Decode.TransferSpan(),
            $"ROCm packs K and V of a layer into one region, Gaudi keeps two: NixlConnector has no working path between {pair.Prefill.Label()} and {pair.Decode.Label()}. " +
            "Use LMCacheConnectorV1 with kv_both on both sides and a store that converts (ferry cache over redis://), or pair nodes of one vendor.");
        return true;
    }

    private static bool IsLmCachePd(ObservedProcess engine) => engine.KvTransfer?.Connector?.Value == "LMCacheConnectorV1" && LmCacheFacts.IsPd(engine);
}
