using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>An exact rc transport without ud cannot set up its connections.</summary>
internal sealed class RcWithoutUd : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX020",
        Severity = LintSeverity.Info,
        Title = "An exact rc transport without ud cannot set up its connections",
        Why = "rc exchanges addresses over ud. The alias rc brings it along; the exact names (rc_mlx5, rc_verbs, \\rc_mlx5) and a deny list with " +
            "ud do not, and soft-RoCE has none.",
        Symptom = "`no auxiliary transport to <no debug data>: …`.",
        Fix = "Write rc (the alias), or add ud.",
        Versions = "UCX 1.13 and later",
        Sources = ["UCX #11307", "UCX #4794"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc_mlx5,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            var usesRc = ucx.List.Allows("rc_mlx5") || ucx.List.Allows("rc_verbs");
            var canConnect = ucx.List.AllowsAuxiliary("ud_mlx5") || ucx.List.AllowsAuxiliary("ud_verbs") || ucx.List.Allows(UcxTransportKind.Tcp);
            if (ucx.List.AllowsAll || !usesRc || canConnect) { continue; }
            findings.Report(Info, ucx.Value.Span, $"UCX_TLS={ucx.Value.Value} has rc but neither ud nor tcp to set its connections up. Write rc instead of the exact name, or add ud.");
        }
    }
}
