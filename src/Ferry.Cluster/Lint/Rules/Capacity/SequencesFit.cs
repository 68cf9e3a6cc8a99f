using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>Max-num-seqs × max-model-len is more than the KV cache holds.</summary>
internal sealed class SequencesFit : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP002",
        Severity = LintSeverity.Info,
        Title = "max-num-seqs × max-model-len is more than the KV cache holds",
        Why = "Admission is by count; at full length only part of the sequences fits, and the rest is preempted and computed again. On a decode " +
            "node of a disaggregated cluster a preempted request has to be fetched or computed once more.",
        Symptom = "`vllm:num_preemptions` rises; TPOT has long tails.",
        Fix = "Lower --max-num-seqs to what fits, or --max-model-len to what is used; or accept it knowing the average length that still fits.",
        Versions = "every version",
        Sources = ["vLLM docs/configuration/optimization.md (preemption)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1,2,3 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 --max-num-seqs 128 --max-model-len 8192 --gpu-memory-utilization 0.90
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HIP_VISIBLE_DEVICES=0,1,2,3 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 --max-num-seqs 512 --max-model-len 8192 --gpu-memory-utilization 0.90
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Arguments.Flag("--max-num-seqs") is not { Value: not null } flag || engine.MaxSequences() is not (> 0 and { } sequences) ||
            engine.MaxModelLength() is not (> 0 and { } length) || EngineMemory.Of(engine) is not { KvBytes: > 0 } memory || sequences * (double)length <= memory.KvTokens)
        {
            return;
        }
        findings.Report(Info, flag.Span,
            $"{sequences} sequences of {length} tokens need {EngineMemory.Gib(sequences * (double)length * memory.TokenBytes)} of KV a rank; {EngineMemory.Gib(memory.KvBytes)} are there ({memory.KvTokens} tokens: {memory.KvTokens / length} full sequences, " +
            $"or {sequences} of {memory.KvTokens / sequences} tokens on average). Lower --max-num-seqs to {Math.Max(1, memory.KvTokens / length)}, or keep it if requests stay that short.");
    }
}
