using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>RDMA without IPC_LOCK.</summary>
internal sealed class IpcLock : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR005",
        Severity = LintSeverity.Error,
        Title = "RDMA without IPC_LOCK",
        Why = "Registering memory with an RDMA card pins it. Without the capability a process may pin no more than its memlock limit.",
        Symptom = "`ibv_reg_mr … failed: Cannot allocate memory`; `UCX  WARN  … memlock limit`.",
        Fix = "Add --cap-add=IPC_LOCK.",
        Versions = "every version",
        Sources = ["UCX documentation, FAQ (memory lock limits)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Container is not { } container || RdmaUse.Of(process) is not { } use || container.HasCapability("IPC_LOCK")) { continue; }
            findings.Report(Info, (container.Capabilities.Count > 0 ? container.Capabilities[^1] : container.Name)?.Span ?? process.HeadSpan,
                $"{process.Label()} registers memory for RDMA ({use}) and may not lock it. Add {(process.Kubernetes is null ? "--cap-add=IPC_LOCK" : "securityContext.capabilities.add: [IPC_LOCK]")}.");
        }
    }
}
