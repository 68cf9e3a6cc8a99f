using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>HIP_VISIBLE_DEVICES and CUDA_VISIBLE_DEVICES disagree.</summary>
internal sealed class VisibleDevicesConflict : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-ROCM002",
        Severity = LintSeverity.Error,
        Title = "HIP_VISIBLE_DEVICES and CUDA_VISIBLE_DEVICES disagree",
        Why = "vLLM on ROCm copies the first to the second and asserts that they are equal where both are set.",
        Symptom = "`AssertionError in vllm/platforms/rocm.py` at import.",
        Fix = "Set HIP_VISIBLE_DEVICES alone.",
        Versions = "vLLM all on ROCm",
        Sources = ["vLLM vllm/platforms/rocm.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1 -e CUDA_VISIBLE_DEVICES=2,3 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || engine.Environment.Value("HIP_VISIBLE_DEVICES") is not { HasUnknown: false } hip || engine.Environment.Value("CUDA_VISIBLE_DEVICES") is not { HasUnknown: false } cuda || hip.Value == cuda.Value) { return; }
        findings.Report(Info, cuda.Span, $"CUDA_VISIBLE_DEVICES={cuda.Value} and HIP_VISIBLE_DEVICES={hip.Value} ({hip.Span.SeenFrom(engine)}) differ, which vLLM on ROCm refuses. Take CUDA_VISIBLE_DEVICES out.", Edits.Replace(cuda, hip.Value));
    }
}
