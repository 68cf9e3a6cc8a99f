using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>--gpu-memory-utilization leaves no room.</summary>
internal sealed class MemoryUtilization : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP007",
        Severity = LintSeverity.Warning,
        Title = "--gpu-memory-utilization leaves no room",
        Why = "The share is of the whole memory on ROCm and CUDA. NIXL, RCCL and the HIP runtime allocate outside it; above 0.95 the first " +
            "registration or a long prefill runs out.",
        Symptom = "`HIP out of memory / NIXL_ERR_BACKEND` after the engine has started.",
        Fix = "Stay at or below 0.92 on a node that transfers KV.",
        Versions = "every version",
        Sources = ["vLLM docs/configuration/conserving_memory.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --gpu-memory-utilization 0.90
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --gpu-memory-utilization 0.98
            """),
    };

    private const double ShareMax = 0.95;

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        // Gaudi's plug-in takes the share of what is free behind the weights, where 0.95 is no risk.
        if (engine.Accelerator.Kind is not (AcceleratorKind.Rocm or AcceleratorKind.Cuda) || engine.Arguments.Flag("--gpu-memory-utilization") is not { Value: { } value } flag) { return; }
        if (value.TryDouble() is not (> ShareMax and <= 1)) { return; }
        findings.Report(Info, flag.Span, $"--gpu-memory-utilization {value.Value} leaves too little for NIXL, RCCL and the runtime. Use 0.92 or less.", Edits.Replace(value, "0.92"));
    }
}
