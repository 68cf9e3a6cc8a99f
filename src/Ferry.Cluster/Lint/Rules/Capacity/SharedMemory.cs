using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>Tensor parallelism with the container's default 64 MiB of /dev/shm.</summary>
internal sealed class SharedMemory : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP004",
        Severity = LintSeverity.Error,
        Title = "Tensor parallelism with the container's default 64 MiB of /dev/shm",
        Why = "The ranks of one engine exchange tensors through shared memory. A container has 64 MiB unless --ipc=host or --shm-size says " +
            "otherwise.",
        Symptom = "`Bus error`; `RuntimeError: … No space left on device: /dev/shm/…`.",
        Fix = "Add --ipc=host (UCX's sm needs it too), or --shm-size=16g.",
        Versions = "every version",
        Sources = ["vLLM docs/deployment/docker.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --net=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Container is not { IsHostIpc: false, SharedMemory: null } container || engine.Kubernetes is not null || engine.TensorParallel is not (> 1 and { } ranks)) { return; }
        // --ipc=container:NAME shares another container's.
        if (container.Ipc is not null && container.Ipc.Value is not ("private" or "shareable" or "none")) { return; }
        if (container.Volumes.Any(volume => volume.Target == "/dev/shm")) { return; }
        findings.Report(Info, container.Name?.Span ?? engine.HeadSpan, $"{engine.Name} has {ranks} ranks and the 64 MiB of /dev/shm that a container gets by itself. Add --ipc=host, or --shm-size=16g.");
    }
}
