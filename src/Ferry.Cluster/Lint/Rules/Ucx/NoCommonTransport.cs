using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>The two sides share no transport between nodes.</summary>
internal sealed class NoCommonTransport : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX015",
        Severity = LintSeverity.Error,
        Title = "The two sides share no transport between nodes",
        Why = "Both ends must offer the same network transport. rc on one side and tcp on the other meet nowhere.",
        Symptom = "`UCX ERROR no active messages transport to …: … Destination is unreachable`; the decode engine logs a failed handshake and " +
            "recomputes or answers 500.",
        Fix = "Give both sides the same list: rc,ud,tcp,sm,self.",
        Versions = "every version",
        Sources = ["UCX src/ucp/wireup/select.c"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --runtime=habana -e HABANA_VISIBLE_DEVICES=0 --net=host \
              -e UCX_TLS=tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (UcxSettings.Of(pair.Prefill) is not { List.HasErrors: false } prefill || UcxSettings.Of(pair.Decode) is not { List.HasErrors: false } decode) { return false; }
        var prefillNetwork = Network(prefill.List);
        var decodeNetwork = Network(decode.List);
        // A side without any has its own finding.
        if (prefillNetwork.Count == 0 || decodeNetwork.Count == 0 || prefillNetwork.Overlaps(decodeNetwork)) { return false; }
        findings.Report(Info, decode.Value.Span,
            $"UCX_TLS={decode.Value.Value} here and UCX_TLS={prefill.Value.Value} on {pair.Prefill.Label()} ({prefill.Value.Span.SeenFrom(pair.Decode)}) share no transport between nodes. Give both UCX_TLS=rc,ud,tcp,sm,self.");
        return true;
    }

    private static HashSet<string> Network(UcxTls list) =>
        [.. list.Transports.Where(name => UcxNames.TryTransport(name) is { Kind: UcxTransportKind.Tcp or UcxTransportKind.Rdma })];
}
