using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>--max-num-batched-tokens below --max-model-len without chunked prefill.</summary>
internal sealed class BatchedTokens : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM011",
        Severity = LintSeverity.Error,
        Title = "--max-num-batched-tokens below --max-model-len without chunked prefill",
        Why = "Without chunked prefill a whole prompt is one step, so the longest must fit.",
        Symptom = "`ValueError: max_num_batched_tokens (…) is smaller than max_model_len (…)`.",
        Fix = "Raise --max-num-batched-tokens, or leave chunked prefill on.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/scheduler.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --no-enable-chunked-prefill --max-num-batched-tokens 8192 --max-model-len 8192
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --no-enable-chunked-prefill --max-num-batched-tokens 2048 --max-model-len 8192
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.Arguments.Has("--no-enable-chunked-prefill") || engine.Arguments.Flag("--max-num-batched-tokens") is not { } flag) { return; }
        if (flag.Value?.TryLong() is not { } batched || engine.MaxModelLength() is not { } length || batched >= length) { return; }
        findings.Report(Info, flag.Span, $"a step of {batched} tokens cannot hold a prompt of {length} without chunked prefill. Write --max-num-batched-tokens {length}, or leave --no-enable-chunked-prefill out.");
    }
}
