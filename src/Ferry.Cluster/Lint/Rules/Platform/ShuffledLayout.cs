using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT with another vendor's node.</summary>
internal sealed class ShuffledLayout : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-ROCM001",
        Severity = LintSeverity.Error,
        Title = "VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT with another vendor's node",
        Why = "The shuffled layout stores K as [B,H,D/x,N,x]; block lengths stay equal, so nothing notices that no other backend reads it.",
        Symptom = "HTTP 200 and wrong tokens.",
        Fix = "Take the variable out.",
        Versions = "vLLM 0.20 and later on ROCm",
        Sources = ["vLLM vllm/envs.py (VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT)"],
        GoodExample = RuleExample.Shell("""
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
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 -e VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT=1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var pair in cluster.Pairs.Where(pair => pair.IsCrossVendor))
        {
            foreach (var engine in (ObservedProcess[])[pair.Prefill, pair.Decode])
            {
                if (!engine.IsOn("VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT")) { continue; }
                findings.Report(Info, engine.Environment.Find("VLLM_ROCM_SHUFFLE_KV_CACHE_LAYOUT")!.Span, $"{engine.Name} shuffles its KV in a way that its peer on {(ReferenceEquals(engine, pair.Prefill) ? pair.Decode : pair.Prefill).Accelerator.Name} does not read. Take it out.");
            }
        }
    }
}
