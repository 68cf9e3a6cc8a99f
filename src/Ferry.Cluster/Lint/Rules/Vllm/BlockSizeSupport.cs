using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A block size that the attention backend does not have.</summary>
internal sealed class BlockSizeSupport : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM006",
        Severity = LintSeverity.Error,
        Title = "A block size that the attention backend does not have",
        Why = "ROCm's backends take multiples of 16, Gaudi's kernels 16 and multiples of it (128 unless set). Others are refused or silently " +
            "replaced.",
        Symptom = "`ValueError: … block_size … is not supported`.",
        Fix = "Use 16 to 128 in steps of 16 on ROCm, 128 on Gaudi.",
        Versions = "vLLM 0.11 and later",
        Sources = ["vLLM vllm/v1/attention/backends", "vllm-gaudi vllm_gaudi/attention"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 32
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 24
            """),
    };

    private const long Step = 16;

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind is AcceleratorKind.Unknown or AcceleratorKind.Cpu || engine.BlockSizeFlag() is not { } value || value.TryLong() is not (> 0 and { } tokens) || tokens % Step == 0) { return; }
        findings.Report(Info, value.Span, $"--block-size {tokens} is no multiple of {Step}, which {engine.Accelerator.Name}'s attention needs. Write {(engine.Accelerator.Kind == AcceleratorKind.Gaudi ? "128" : "16, 32, 64 or 128")}.");
    }
}
