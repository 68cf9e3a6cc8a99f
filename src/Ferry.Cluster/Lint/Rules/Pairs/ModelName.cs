using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>Prefill and decode name the model differently.</summary>
internal sealed class ModelName : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR001",
        Severity = LintSeverity.Error,
        Title = "Prefill and decode name the model differently",
        Why = "The model string is part of NIXL's handshake hash, of every LMCache key and of vLLM's block hashes, character for character. A " +
            "path on one side and a hub id on the other, or another letter case, never meet.",
        Symptom = "`NIXL compatibility hash mismatch`; LMCache: 0 hits; the router's /v1/models shows two names.",
        Fix = "Use the same string on both sides, also in letter case.",
        Versions = "every version",
        Sources = [
            "vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py",
            "LMCache lmcache/utils.py (CacheEngineKey)",
        ],
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
              vllm-gaudi:v0.20.0 vllm serve /models/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var pair in cluster.Pairs)
        {
            if (pair.Prefill.Model is not { HasUnknown: false } prefill || pair.Decode.Model is not { HasUnknown: false } decode || prefill.Value == decode.Value) { continue; }
            var how = prefill.Value.Equals(decode.Value, StringComparison.OrdinalIgnoreCase) ? " They differ in letter case, which counts." : "";
            findings.Report(Info, decode.Span, $"{pair.Decode.Label()} serves {decode.Value}, {pair.Prefill.Label()} ({prefill.Span.SeenFrom(pair.Decode)}) {prefill.Value}.{how} Write the same string on both.", Edits.Replace(decode, prefill.Value));
        }
    }
}
