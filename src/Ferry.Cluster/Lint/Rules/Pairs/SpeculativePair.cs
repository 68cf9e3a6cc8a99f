using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>Speculative decoding on one side only.</summary>
internal sealed class SpeculativePair : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR019",
        Severity = LintSeverity.Error,
        Title = "Speculative decoding on one side only",
        Why = "Method, draft model and its KV dtype are part of the handshake hash, and an EAGLE or MTP head adds KV layers that the other side " +
            "does not have.",
        Symptom = "`NIXL compatibility hash mismatch`; `Number of KV layers must match between prefill and decode`.",
        Fix = "Pass the same --speculative-config on both sides, or on neither.",
        Versions = "vLLM 0.20 and later",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py (version 6)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --speculative-config '{"method":"ngram","num_speculative_tokens":3}' \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var prefill = pair.Prefill.Arguments.Flag("--speculative-config");
        var decode = pair.Decode.Arguments.Flag("--speculative-config");
        if (prefill?.Value is { HasUnknown: true } || decode?.Value is { HasUnknown: true } || Plain(prefill) == Plain(decode)) { return false; }
        findings.Report(Info, (decode ?? prefill)!.Span, $"{pair.Decode.Name} speculates {(decode is null ? "not" : "with " + decode.Value?.Value)}, {pair.Prefill.Name} {(prefill is null ? "not" : "with " + prefill.Value?.Value)}. Pass the same --speculative-config to both.");
        return true;
    }

    private static string Plain(ArgumentFlag? flag) => flag?.Value?.Value.Replace(" ", "", StringComparison.Ordinal) ?? "";
}
