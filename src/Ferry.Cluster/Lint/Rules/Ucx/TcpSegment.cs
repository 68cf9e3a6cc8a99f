using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>UCX_TCP_TX_SEG_SIZE above what the peer receives.</summary>
internal sealed class TcpSegment : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX014",
        Severity = LintSeverity.Error,
        Title = "UCX_TCP_TX_SEG_SIZE above what the peer receives",
        Why = "The segment size is not negotiated. A sender whose TX size is above the receiver's RX size (64 KiB unless set) overruns a heap " +
            "buffer; the check is an assertion that release builds leave out.",
        Symptom = "The peer dies with SIGSEGV in tcp_ep.c, or corrupts its heap silently.",
        Fix = "Keep UCX_TCP_TX_SEG_SIZE at 64k, or set UCX_TCP_RX_SEG_SIZE to at least the same on every node.",
        Versions = "UCX 1.13 to 1.22",
        Sources = ["UCX src/uct/tcp/tcp_ep.c", "UCX #4525"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=tcp,sm,self -e UCX_TCP_TX_SEG_SIZE=64k \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=tcp,sm,self -e UCX_TCP_TX_SEG_SIZE=1m \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    private const long DefaultReceiveBytes = 64 << 10; // UCX_TCP_RX_SEG_SIZE, src/uct/tcp/tcp_iface.c.

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Environment.Value("UCX_TCP_TX_SEG_SIZE") is not { HasUnknown: false } value || UcxSize.TryParse(value.Value) is not { } sent) { continue; }
            var peers = cluster.InGroup(process.Group).Where(other => other.IsEngine || ReferenceEquals(other, process));
            foreach (var peer in peers)
            {
                var receive = peer.Environment.Find("UCX_TCP_RX_SEG_SIZE");
                if ((receive is null ? DefaultReceiveBytes : UcxSize.TryParse(receive.Value?.Value)) is not { } received || sent <= received) { continue; }
                findings.Report(Info, value.Span,
                    $"UCX_TCP_TX_SEG_SIZE={value.Value} is above the {received} bytes that {peer.Name} receives ({(receive is null ? "the default" : "UCX_TCP_RX_SEG_SIZE")}). " +
                    $"Write 64k, or set UCX_TCP_RX_SEG_SIZE={value.Value} on every node.", Edits.Replace(value, "64k"));
                break;
            }
        }
    }
}
