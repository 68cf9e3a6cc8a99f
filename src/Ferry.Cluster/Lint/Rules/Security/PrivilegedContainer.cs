using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>A privileged container.</summary>
internal sealed class PrivilegedContainer : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC008",
        Severity = LintSeverity.Warning,
        Title = "A privileged container",
        Why = "--privileged gives every device and every capability: a way out of the container for whatever runs in it, --trust-remote-code " +
            "included. RDMA and accelerators need a handful of devices and IPC_LOCK.",
        Symptom = "Nothing shows at run time.",
        Fix = "Replace it by --device=… and --cap-add=IPC_LOCK.",
        Versions = "every version",
        Sources = ["Docker documentation, runtime privilege"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --privileged \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Container?.Privileged is { } span) { findings.Report(Info, span, $"{process.Name}'s container is privileged: all devices and capabilities. Name what it needs: devices, IPC_LOCK."); }
        }
    }
}
