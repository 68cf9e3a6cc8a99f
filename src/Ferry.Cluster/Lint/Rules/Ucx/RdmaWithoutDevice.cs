using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>RDMA transports in a container without an RDMA device.</summary>
internal sealed class RdmaWithoutDevice : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX005",
        Severity = LintSeverity.Error,
        Title = "RDMA transports in a container without an RDMA device",
        Why = "rc, dc and ud open /dev/infiniband/uverbs*. A container sees it only when it is passed in. Where UCX_TLS has no tcp, no path " +
            "between the nodes is left at all; where it has, every byte goes over TCP.",
        Symptom = "`UCX  WARN  transport 'rc' is not available, please use one or more of: cma, …, tcp`; with NIXL and no tcp: `createBackend … " +
            "NIXL_ERR_BACKEND`.",
        Fix = "Add --device=/dev/infiniband (Kubernetes: the RDMA device plug-in's resource).",
        Versions = "every version",
        Sources = ["UCX documentation, running UCX in containers", "UCX #4794"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host --ipc=host \
              --device=/dev/infiniband --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host --ipc=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            if (ucx.Process.Container is not { } container || !ucx.Names(transport => transport.Kind == UcxTransportKind.Rdma) ||
                container.HasDevice("/dev/infiniband") || HasRdmaResource(ucx.Process))
            {
                continue;
            }
            var hasTcp = ucx.List.Allows(UcxTransportKind.Tcp);
            var what = ucx.Process.Kubernetes is null ? "Add --device=/dev/infiniband." : "Ask for the RDMA device plug-in's resource, or mount /dev/infiniband.";
            findings.Report(Info, hasTcp ? LintSeverity.Warning : LintSeverity.Error, ucx.Value.Span,
                $"UCX_TLS={ucx.Value.Value} asks for RDMA, but {ucx.Process.Label()}'s container has no /dev/infiniband: " +
                $"{(hasTcp ? "every byte goes over tcp" : "without tcp in the list no path to another node is left, and NIXL fails at start")}. {what}");
        }
    }

    private static bool HasRdmaResource(ObservedProcess process) => process.Kubernetes is { } kubernetes &&
        kubernetes.Limits.Concat(kubernetes.Requests).Any(resource =>
            resource.Name.Value.Contains("rdma", StringComparison.OrdinalIgnoreCase) || resource.Name.Value.Contains("infiniband", StringComparison.OrdinalIgnoreCase) ||
            resource.Name.Value.Contains("roce", StringComparison.OrdinalIgnoreCase) || resource.Name.Value.Contains("/ib", StringComparison.OrdinalIgnoreCase));
}
