using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_TLS lacks self or sm.</summary>
internal sealed class MissingLoopback : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX007",
        Severity = LintSeverity.Info,
        Title = "UCX_TLS lacks self or sm",
        Why = "Without self a worker's messages to itself, and without sm those between ranks of one host, leave through the network card or " +
            "fail where no network transport loops back.",
        Symptom = "Lower intra-node rates; on some NICs: `no active messages transport to …`.",
        Fix = "Add sm,self.",
        Versions = "UCX 1.13 and later",
        Sources = ["UCX FAQ, \"Which transports does UCX use\"", "UCX src/ucp/wireup/select.c"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            if (ucx.List.Denies || ucx.List.AllowsAll || ucx.List.HasErrors) { continue; }
            var missing = new List<string>(2);
            if (!ucx.List.Allows(UcxTransportKind.SharedMemory)) { missing.Add("sm"); }
            if (!ucx.List.Allows(UcxTransportKind.Loopback)) { missing.Add("self"); }
            if (missing.Count == 0) { continue; }
            var list = ucx.With(_ => true, missing);
            findings.Report(Info, ucx.Value.Span,
                $"UCX_TLS={ucx.Value.Value} lacks {string.Join(" and ", missing)}. Write UCX_TLS={list}.", Edits.Replace(ucx.Value, list));
        }
    }
}
