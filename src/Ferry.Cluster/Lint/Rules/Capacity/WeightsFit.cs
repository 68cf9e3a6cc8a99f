using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>The weights do not fit into the accelerators.</summary>
internal sealed class WeightsFit : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP001",
        Severity = LintSeverity.Error,
        Title = "The weights do not fit into the accelerators",
        Why = "Each rank holds its share of the weights; what --gpu-memory-utilization leaves after them is all the KV cache there is. Below " +
            "zero the engine does not start.",
        Symptom = "`torch.OutOfMemoryError` during load; `ValueError: No available memory for the cache blocks`.",
        Fix = "Raise --tensor-parallel-size, use fp8 weights, or more accelerators.",
        Versions = "every version",
        Sources = ["vLLM vllm/v1/worker/gpu_worker.py (determine_available_memory)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-405B-Instruct --tensor-parallel-size 8 --dtype bfloat16
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-405B-Instruct --tensor-parallel-size 1 --dtype bfloat16
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (EngineMemory.Of(engine) is not { KvBytes: <= 0 } memory) { return; }
        findings.Report(Info, engine.Model!.Span,
            $"{engine.Model.Value} needs {EngineMemory.Gib(memory.WeightBytes)} of weights on each of {memory.Ranks} {(memory.Ranks == 1 ? "rank" : "ranks")}; of the device's {EngineMemory.Gib(memory.DeviceBytes)} nothing is left for KV. " +
            "Raise --tensor-parallel-size, or use a quantised checkpoint.");
    }
}
