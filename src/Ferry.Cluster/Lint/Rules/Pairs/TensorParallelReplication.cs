using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>More prefill ranks than KV heads, fewer decode ranks.</summary>
internal sealed class TensorParallelReplication : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR005",
        Severity = LintSeverity.Error,
        Title = "More prefill ranks than KV heads, fewer decode ranks",
        Why = "Above the model's number of KV heads ranks hold copies of heads. NIXL does not read from replicated ranks into fewer ones, and a " +
            "block size that differs is refused in the same direction.",
        Symptom = "`AssertionError in _validate_remote_agent_handshake`.",
        Fix = "Keep the prefill node's --tensor-parallel-size at or below the number of KV heads, or use the same size on both sides.",
        Versions = "vLLM up to and including 0.28",
        Sources = ["vLLM #45330", "vLLM #45860"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 16 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Prefill.UsesNixl() || pair.Prefill.Shape() is not { } shape || pair.Prefill.TensorParallel is not { } prefill || pair.Decode.TensorParallel is not { } decode) { return false; }
        if (prefill <= shape.KvHeads || prefill <= decode) { return false; }
        findings.Report(Info, TensorParallelSpan.Of(pair.Prefill), $"{prefill} prefill ranks hold copies of the model's {shape.KvHeads} KV heads, which {decode} decode ranks cannot read. Use at most {shape.KvHeads} here, or {prefill} on both sides.");
        return true;
    }
}
