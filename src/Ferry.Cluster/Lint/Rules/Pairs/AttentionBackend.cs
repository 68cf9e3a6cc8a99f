using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The ROCm side's attention backend is left to what is installed.</summary>
internal sealed class AttentionBackend : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR008",
        Severity = LintSeverity.Warning,
        Title = "The ROCm side's attention backend is left to what is installed",
        Why = "With a connector vLLM takes AITER_FA, AITER_UNIFIED (block 64) or TRITON_ATTN, whichever the image brings. Block size, layout " +
            "and the handshake hash follow from it, so a new image changes the pair.",
        Symptom = "An assertion about block sizes, or a hash mismatch, after an image update.",
        Fix = "Write --attention-backend TRITON_ATTN and --block-size on the ROCm node.",
        Versions = "vLLM 0.12 and later on ROCm",
        Sources = ["vLLM vllm/platforms/rocm.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || !engine.UsesNixl() || engine.AttentionBackend() is not null) { return; }
        findings.Report(Info, engine.Model?.Span ?? engine.HeadSpan, $"{engine.Label()} does not say its attention backend: AITER (blocks of 64) or Triton (16), whichever the image holds, decides block size, layout and handshake. Add --attention-backend TRITON_ATTN.");
    }
}
