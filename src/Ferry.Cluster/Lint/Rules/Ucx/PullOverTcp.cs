using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>Pulling over TCP is the slow direction.</summary>
internal sealed class PullOverTcp : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX018",
        Severity = LintSeverity.Info,
        Title = "Pulling over TCP is the slow direction",
        Why = "UCX writes zero-copy over tcp but emulates reads in software. NixlConnector pulls, so a tcp-only pair gets 0.6 to 1.1 GB/s where " +
            "writing gets 3 to 5.",
        Symptom = "`KV Transfer metrics: Throughput (MB/s)` far below the link's rate.",
        Fix = "Set UCX_TCP_TX_SEG_SIZE=64k on both nodes, or use NixlPushConnector, which writes.",
        Versions = "UCX 1.13 to 1.22, NIXL 0.7 and later",
        Sources = ["vLLM #52607", "NIXL #610", "UCX #6761"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,sm,self -e UCX_TCP_TX_SEG_SIZE=64k \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,sm,self \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Nixl?.Find("kv_connector")?.TryString() is not ("NixlConnector" or "NixlPullConnector") || UcxSettings.Of(engine) is not { } ucx) { return; }
        if (ucx.List.AllowsAll || !ucx.List.Allows(UcxTransportKind.Tcp) || ucx.List.Allows(UcxTransportKind.Rdma) || engine.Environment.Has("UCX_TCP_TX_SEG_SIZE")) { return; }
        findings.Report(Info, ucx.Value.Span,
            $"UCX_TLS={ucx.Value.Value} leaves tcp alone between nodes, and this connector pulls, which UCX emulates over tcp (0.6 to 1.1 GB/s). Set UCX_TCP_TX_SEG_SIZE=64k on both nodes, or use NixlPushConnector.");
    }
}
