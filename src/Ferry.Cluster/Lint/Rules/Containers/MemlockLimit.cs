using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>RDMA with the default memlock limit.</summary>
internal sealed class MemlockLimit : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR006",
        Severity = LintSeverity.Error,
        Title = "RDMA with the default memlock limit",
        Why = "A container may lock 64 KiB to 8 MiB of memory unless told otherwise; a KV cache is a thousand times that. With host buffers the " +
            "whole KV cache of each rank is registered.",
        Symptom = "`UCX ERROR ibv_reg_mr(…) failed: Cannot allocate memory. Please set max locked memory (ulimit -l) to 'unlimited'`.",
        Fix = "Add --ulimit memlock=-1.",
        Versions = "every version",
        Sources = ["UCX src/uct/ib/base/ib_md.c"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --cap-add=IPC_LOCK \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            // Kubernetes has no ulimits; there the node's container runtime decides.
            if (process.Container is not { } container || process.Kubernetes is not null || RdmaUse.Of(process) is not { } use || container.Ulimit("memlock") is "-1" or "unlimited") { continue; }
            var span = container.Ulimits.LastOrDefault(limit => limit.Value.StartsWith("memlock", StringComparison.Ordinal))?.Span ?? container.Name?.Span ?? process.HeadSpan;
            findings.Report(Info, span, $"{process.Label()} registers memory for RDMA ({use}) under {(container.Ulimit("memlock") is { } limit ? $"a memlock limit of {limit}" : "the default memlock limit")}. Add --ulimit memlock=-1.");
        }
    }
}
