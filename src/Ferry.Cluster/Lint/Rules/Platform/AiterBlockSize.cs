using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>AITER's attention keeps its own block size.</summary>
internal sealed class AiterBlockSize : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-ROCM004",
        Severity = LintSeverity.Warning,
        Title = "AITER's attention keeps its own block size",
        Why = "AITER_FA works in kernel blocks of 16 or 32 tokens whatever --block-size says, and advertises those; the unified backend prefers " +
            "64. A peer that was told --block-size 128 meets 16.",
        Symptom = "An assertion about block sizes at the first handshake.",
        Fix = "Use --attention-backend TRITON_ATTN with --block-size 128.",
        Versions = "vLLM 0.12 and later on ROCm",
        Sources = ["vLLM vllm/v1/attention/backends/rocm_aiter_fa.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_ROCM_USE_AITER=1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 --attention-backend TRITON_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_ROCM_USE_AITER=1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || !engine.UsesNixl() || engine.BlockSizeFlag() is not { } flag || flag.TryLong() is not { } tokens) { return; }
        var backend = engine.AttentionBackend()?.Value.ToUpperInvariant();
        var isAiterFa = backend is "ROCM_AITER_FA" || (backend is null && engine.IsOn("VLLM_ROCM_USE_AITER"));
        if (!isAiterFa || tokens is 16 or 32) { return; }
        findings.Report(Info, flag.Span, $"{engine.Name} asks for blocks of {tokens} tokens, and AITER's attention keeps its own of 16 or 32 and advertises those. Add --attention-backend TRITON_ATTN.");
    }
}
