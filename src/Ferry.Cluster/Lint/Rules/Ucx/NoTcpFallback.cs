using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>RDMA transports without tcp have no fallback.</summary>
internal sealed class NoTcpFallback : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX006",
        Severity = LintSeverity.Warning,
        Title = "RDMA transports without tcp have no fallback",
        Why = "UCX uses what the list names and nothing else. If the NIC is down, has no SRQ (AMD AINIC) or is not in the container, a list " +
            "without tcp leaves only transports that end at the host, and NIXL fails hard. A TCP fallback exists only where tcp is in the " +
            "list.",
        Symptom = "`createBackend: backend 'UCX' encountered error … NIXL_ERR_BACKEND` at start.",
        Fix = "Add tcp to the list, and watch the measured rate: a silent fallback is slow (0.5 to 3 GB/s).",
        Versions = "UCX 1.13 and later",
        Sources = ["sglang #30099", "UCX #9736", "NIXL #1642"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            if (!ucx.Names(transport => transport.Kind == UcxTransportKind.Rdma) || ucx.List.Allows(UcxTransportKind.Tcp)) { continue; }
            var list = ucx.With(_ => true, "tcp");
            findings.Report(Info, ucx.Value.Span,
                $"UCX_TLS={ucx.Value.Value} has no tcp: where the RDMA card is missing or unusable nothing is left, and NIXL fails at start. Write UCX_TLS={list}, " +
                "or keep it as it is if failing is what you want.", Edits.Replace(ucx.Value, list));
        }
    }
}
