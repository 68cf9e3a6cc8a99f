using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides of one vendor use different attention backends.</summary>
internal sealed class AttentionBackendPair : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR025",
        Severity = LintSeverity.Error,
        Title = "The two sides ask for different attention backends",
        Why = "The backend's name is part of the handshake hash, and each lays K and V out in its own way: packed or in halves, in blocks of its own size. " +
            "Between vendors they always differ (FERRY-KVT008); on one vendor they need not.",
        Symptom = "`NIXL compatibility hash mismatch`; up to 0.11.2 an AssertionError over attn_backend_name.",
        Fix = "Write the same --attention-backend on both sides.",
        Versions = "vLLM with NixlConnector",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py", "vLLM #29503"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend ROCM_AITER_UNIFIED_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (pair.IsCrossVendor || !pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl()) { return false; }
        // Where one side says nothing the image decides, which FERRY-PAIR008 is about.
        if (pair.Prefill.AttentionBackend() is not { HasUnknown: false } prefill || pair.Decode.AttentionBackend() is not { HasUnknown: false } decode) { return false; }
        if (prefill.Value.Equals(decode.Value, StringComparison.OrdinalIgnoreCase)) { return false; }
        findings.Report(Info, decode.Span,
            $"The attention backend is {decode.Value} here and {prefill.Value} on {pair.Prefill.Label()} ({prefill.Span.SeenFrom(pair.Decode)}). Write {prefill.Value} on both.", Edits.Replace(decode, prefill.Value));
        return true;
    }
}
