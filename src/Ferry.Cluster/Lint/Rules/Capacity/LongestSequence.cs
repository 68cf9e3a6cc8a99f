using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>One sequence of max-model-len does not fit into the KV cache.</summary>
internal sealed class LongestSequence : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP006",
        Severity = LintSeverity.Error,
        Title = "One sequence of max-model-len does not fit into the KV cache",
        Why = "vLLM refuses to start when a single longest sequence needs more KV than there is.",
        Symptom = "`ValueError: To serve at least one request with the model's max seq len (…), … GiB KV cache is needed`.",
        Fix = "Lower --max-model-len, or raise --gpu-memory-utilization or --tensor-parallel-size.",
        Versions = "every version",
        Sources = ["vLLM vllm/v1/core/kv_cache_utils.py (check_enough_kv_cache_memory)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1,2,3 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --dtype bfloat16 --tensor-parallel-size 4 --max-model-len 131072
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --dtype bfloat16 --tensor-parallel-size 1 --max-model-len 131072
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.MaxModelLength() is not { } length || EngineMemory.Of(engine) is not { KvBytes: > 0 } memory || length <= memory.KvTokens) { return; }
        findings.Report(Info, engine.Arguments.Flag("--max-model-len")!.Span,
            $"one sequence of {length} tokens needs {EngineMemory.Gib(length * (double)memory.TokenBytes)} of KV a rank, and {EngineMemory.Gib(memory.KvBytes)} are left ({memory.KvTokens} tokens). Lower --max-model-len, or raise --tensor-parallel-size.");
    }
}
