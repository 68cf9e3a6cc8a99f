using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The two sides lay their KV out differently.</summary>
internal sealed class KvLayout : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR007",
        Severity = LintSeverity.Error,
        Title = "The two sides lay their KV out differently",
        Why = "A layout of HND on one side and NHD on the other is refused, unless the receiver permutes (enable_permute_local_kv with an HND " +
            "peer). Head slices need HND.",
        Symptom = "`RuntimeError: … kv_cache_layout mismatch`.",
        Fix = "Set the same VLLM_KV_CACHE_LAYOUT on both sides, or enable_permute_local_kv on the receiver.",
        Versions = "vLLM 0.11 and later",
        Sources = ["vLLM #26759", "vllm-gaudi #421"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_KV_CACHE_LAYOUT=HND \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_KV_CACHE_LAYOUT=HND \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_KV_CACHE_LAYOUT=HND \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_KV_CACHE_LAYOUT=NHD \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    private const string Variable = "VLLM_KV_CACHE_LAYOUT";

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl() || pair.Prefill.Environment.Find(Variable) is { Value: null or { HasUnknown: true } }) { return false; }
        // Unset, NixlConnector asks for HND.
        var prefill = pair.Prefill.Environment.Value(Variable)?.Value ?? "HND";
        var decode = pair.Decode.Environment.Value(Variable)?.Value ?? "HND";
        var permutes = pair.Decode.KvTransfer!.Nixl!.Find("enable_permute_local_kv") is { } permute && (permute.IsTrue || permute.TryString()?.ToLowerInvariant() == "true");
        if (prefill == decode || (permutes && prefill == "HND")) { return false; }
        var place = pair.Decode.Environment.Value(Variable)?.Span ?? pair.Prefill.Environment.Value(Variable)!.Span;
        findings.Report(Info, place, $"{pair.Decode.Label()} lays its KV out as {decode}, {pair.Prefill.Label()} as {prefill}. Set the same {Variable}, or add \"enable_permute_local_kv\":true on the decode node with HND on the other.");
        return true;
    }
}
