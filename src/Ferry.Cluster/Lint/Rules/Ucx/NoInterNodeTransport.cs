using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_TLS leaves no transport that reaches another node.</summary>
internal sealed class NoInterNodeTransport : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX004",
        Severity = LintSeverity.Error,
        Title = "UCX_TLS leaves no transport that reaches another node",
        Why = "sm, self and the accelerators' copy and IPC transports end at the host. NIXL also needs one transport with active messages and " +
            "peer-failure handling (rc, dc, ud, srd or tcp) even to talk to itself, and refuses to start without it.",
        Symptom = "`UCX ERROR no active messages transport to <no debug data>: self/memory - no peer failure handler, …`; nixl_agent.cpp " +
            "createBackend: backend 'UCX' … NIXL_ERR_BACKEND.",
        Fix = "Add rc,ud (RDMA) and tcp (fallback).",
        Versions = "UCX 1.13 and later, NIXL 0.7 and later",
        Sources = ["UCX src/ucp/wireup/select.c", "NIXL src/plugins/ucx/ucx_utils.cpp", "NIXL #2039"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            // Ferry's own servers fall back to their TCP transport.
            var isFerry = ucx.Process.Kind is ProcessKind.FerryServe or ProcessKind.FerryCache or ProcessKind.FerryRoute;
            if (isFerry || ucx.List.Denies || ucx.List.AllowsAll || ucx.List.HasErrors || ucx.List.CarriesMessages) { continue; }
            var list = ucx.With(_ => true, "rc", "ud", "tcp");
            findings.Report(Info, ucx.Value.Span,
                $"UCX_TLS={ucx.Value.Value} reaches no other node: none of rc, dc, ud, srd and tcp is in it, and NIXL does not start without one. Write UCX_TLS={list}.",
                Edits.Replace(ucx.Value, list));
        }
    }
}
