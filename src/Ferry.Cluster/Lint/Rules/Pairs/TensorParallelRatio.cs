using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>Tensor-parallel sizes that do not divide each other.</summary>
internal sealed class TensorParallelRatio : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR004",
        Severity = LintSeverity.Error,
        Title = "Tensor-parallel sizes that do not divide each other",
        Why = "A rank of the larger side reads a slice of one rank of the smaller side, so the sizes must divide each other. 4 and 6 leave " +
            "heads that no rank can fetch.",
        Symptom = "`AssertionError in _validate_remote_agent_handshake`; `NIXL_ERR_BACKEND`.",
        Fix = "Choose sizes of which one divides the other (4 and 4, 4 and 8).",
        Versions = "every version",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl (TransferTopology)", "vLLM #50765"],
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
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 6 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (pair.Prefill.TensorParallel is not (> 0 and { } prefill) || pair.Decode.TensorParallel is not (> 0 and { } decode) || !pair.Prefill.UsesNixl()) { return false; }
        if (prefill % decode == 0 || decode % prefill == 0) { return false; }
        findings.Report(Info, TensorParallelSpan.Of(pair.Decode), $"tensor-parallel size is {decode} here and {prefill} on {pair.Prefill.Label()} ({TensorParallelSpan.Of(pair.Prefill).SeenFrom(pair.Decode)}); one must divide the other.");
        return true;
    }
}
