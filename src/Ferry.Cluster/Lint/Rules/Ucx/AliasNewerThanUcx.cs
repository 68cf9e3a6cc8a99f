using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_TLS uses a name that is newer than the UCX in use.</summary>
internal sealed class AliasNewerThanUcx : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX003",
        Severity = LintSeverity.Warning,
        Title = "UCX_TLS uses a name that is newer than the UCX in use",
        Why = "The gaudi alias and the gaudi_gdr transport were first released in UCX 1.21 (June 2026) and need a build with --with-gaudi; the " +
            "build that vllm-gaudi pins has gaudi_gdr but not yet the alias. ze came with 1.17, gga with 1.19.",
        Symptom = "`UCX  WARN  transport 'gaudi' is not available`; device memory of the HPU is then unknown to UCX.",
        Fix = "With kv_buffer_device=cpu no accelerator transport is needed: take it out. For device buffers use UCX 1.21 or later built " +
            "--with-gaudi, and prove it with ucx_info -d.",
        Versions = "UCX before 1.21 (gaudi, gaudi_gdr), before 1.19 (gga), before 1.17 (ze)",
        Sources = ["UCX #11017", "UCX #11177", "vllm-gaudi install_nixl.py (UCX 1df7b045, NIXL 0.7.0)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=rc,ud,gaudi,tcp,sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            if (ucx.List.Denies || ucx.List.Entries.FirstOrDefault(entry => entry.Written == "gaudi") is not { } alias) { continue; }
            var span = ucx.SpanOf(alias.Written);
            var way = ucx.Process.HasHostBuffer()
                ? "With kv_buffer_device=cpu leave it out."
                : "Write gaudi_gdr, or leave it out where buffers are in host memory.";
            findings.Report(Info, span,
                "UCX knows the name gaudi from 1.21 on (June 2026), and only when built --with-gaudi; the build that vllm-gaudi pins has gaudi_gdr and not " +
                $"yet the alias. Nothing here says which UCX the image holds. {way} `ucx_info -v` in the container shows the version.",
                !ucx.Process.HasHostBuffer() && span.Text == "gaudi" ? [new(span, "gaudi_gdr")] : []);
        }
    }
}
