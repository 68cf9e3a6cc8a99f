using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>More ranks than visible accelerators.</summary>
internal sealed class DeviceCount : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP010",
        Severity = LintSeverity.Error,
        Title = "More ranks than visible accelerators",
        Why = "tensor-parallel × pipeline-parallel ranks each need a device of their own.",
        Symptom = "`ValueError: World size … is larger than the number of available GPUs`.",
        Fix = "Make as many devices visible as there are ranks, or lower --tensor-parallel-size.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/parallel.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1,2,3 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Ranks() is not { } ranks || engine.Arguments.Has("--nnodes") || engine.Arguments.Value("--distributed-executor-backend")?.Value == "ray") { return; }
        var variable = engine.Accelerator.Kind switch
        {
            AcceleratorKind.Rocm => "HIP_VISIBLE_DEVICES",
            AcceleratorKind.Gaudi => "HABANA_VISIBLE_DEVICES",
            AcceleratorKind.Cuda => "CUDA_VISIBLE_DEVICES",
            _ => null,
        };
        if (variable is null || engine.Environment.Value(variable) is not { HasUnknown: false } value) { return; }
        string[] devices = value.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (devices.Length == 0 || !devices.All(device => device.All(char.IsAsciiDigit)) || devices.Length >= ranks) { return; }
        findings.Report(Info, value.Span, $"{variable}={value.Value} shows {devices.Length} {(devices.Length == 1 ? "device" : "devices")} to {engine.Name}, which has {ranks} ranks ({TensorParallelSpan.Of(engine).SeenFrom(engine)}). Show {ranks}, or lower --tensor-parallel-size.");
    }
}
