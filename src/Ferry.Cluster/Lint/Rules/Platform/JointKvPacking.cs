using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Gaudi's joint-KV path beside a packed GPU cache corrupts silently.</summary>
internal sealed class JointKvPacking : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU010",
        Severity = LintSeverity.Error,
        Title = "Gaudi's joint-KV path beside a packed GPU cache corrupts silently",
        Why = "VLLM_HPU_NIXL_JOINT_KV stages K and V as two halves of a block, while vLLM 0.26 and later stores [K|V] per token on GPUs. The " +
            "sizes are equal, so every check passes.",
        Symptom = "HTTP 200 and wrong tokens.",
        Fix = "Do not use it beside a ROCm or CUDA engine of vLLM 0.26 or later; exchange KV through host memory and a converting store.",
        Versions = "vllm-gaudi 0.24 and later against vLLM 0.26 and later",
        Sources = ["vllm-gaudi #1588", "vllm-gaudi #1653"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.26.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.26.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --no-enable-prefix-caching \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.26.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 -e VLLM_HPU_HETERO_KV_LAYOUT=true -e VLLM_HPU_NIXL_JOINT_KV=1 \
              vllm-gaudi:v0.26.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --no-enable-prefix-caching \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    private static readonly VllmVersion FirstPacked = new(0, 26);

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var (gaudi, other) = pair.Decode.Accelerator.Kind == AcceleratorKind.Gaudi ? (pair.Decode, pair.Prefill) : (pair.Prefill, pair.Decode);
        if (gaudi.Accelerator.Kind != AcceleratorKind.Gaudi || other.Accelerator.Kind is not (AcceleratorKind.Rocm or AcceleratorKind.Cuda) || !gaudi.IsOn("VLLM_HPU_NIXL_JOINT_KV")) { return false; }
        if (VllmVersion.Of(other) is { } version && version < FirstPacked) { return false; }
        var isKnown = VllmVersion.Of(other) is not null;
        findings.Report(Info, isKnown ? LintSeverity.Error : LintSeverity.Warning, gaudi.Environment.Find("VLLM_HPU_NIXL_JOINT_KV")!.Span,
            $"{gaudi.Name} stages K and V as halves of a block; {other.Label()} {(isKnown ? "packs" : "packs, if its vLLM is 0.26 or later,")} them per token. The sizes are equal and the bytes are not. Take VLLM_HPU_NIXL_JOINT_KV out.");
        return true;
    }
}
