using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>Gaudi over tcp cannot move HPU memory.</summary>
internal sealed class GaudiOverTcp : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX009",
        Severity = LintSeverity.Error,
        Title = "gaudi over tcp cannot move HPU memory",
        Why = "gaudi_gdr is only a memory domain: it exports a dma-buf that a host RDMA card registers. There is no gaudi_copy and no " +
            "gaudi_ipc, so without rc, dc or ud nothing can read or write HPU memory. tcp needs host buffers.",
        Symptom = "No transfer of device memory; NIXL: `VRAM registration cannot proceed`.",
        Fix = "With tcp use kv_buffer_device=cpu and leave gaudi out; for device buffers add rc,ud and a host RDMA card.",
        Versions = "UCX 1.21 and later",
        Sources = ["UCX src/uct/gaudi", "UCX #11017"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,gaudi_gdr,sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            UcxTlsEntry[] gaudi = ucx.List.Denies ? [] : [.. ucx.Entries(transport => transport.Vendor == UcxVendor.Gaudi)];
            if (gaudi.Length == 0 || ucx.List.Allows(UcxTransportKind.Rdma)) { continue; }
            var list = ucx.With(entry => !gaudi.Contains(entry), "tcp");
            findings.Report(Info, ucx.Process.HasHostBuffer() ? LintSeverity.Warning : LintSeverity.Error, ucx.SpanOf(gaudi[0].Written),
                $"UCX_TLS={ucx.Value.Value}: {gaudi[0].Written} moves no bytes by itself, and without rc, dc or ud nothing reaches HPU memory. " +
                $"With host buffers write UCX_TLS={list}; for device buffers add rc,ud and a host RDMA card.", Edits.Replace(ucx.Value, list));
        }
    }
}
