using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>--max-model-len is above what the model was made for.</summary>
internal sealed class ContextLength : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP009",
        Severity = LintSeverity.Error,
        Title = "--max-model-len is above what the model was made for",
        Why = "vLLM refuses a length above the model's max_position_embeddings unless VLLM_ALLOW_LONG_MAX_MODEL_LEN=1, with which the answers " +
            "beyond it are noise.",
        Symptom = "`ValueError: User-specified max_model_len (…) is greater than the derived max_model_len`.",
        Fix = "Lower --max-model-len to the model's own length.",
        Versions = "every version",
        Sources = ["vLLM vllm/config/model.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 131072
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 262144
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Model is not { HasUnknown: false } model || engine.MaxModelLength() is not { } length || ModelContext.TryTokens(model.Value) is not { } context || length <= context) { return; }
        if (engine.IsOn("VLLM_ALLOW_LONG_MAX_MODEL_LEN") || engine.Arguments.Has("--hf-overrides") || engine.Arguments.Has("--rope-scaling")) { return; }
        findings.Report(Info, engine.Arguments.Flag("--max-model-len")!.Span, $"{model.Value} is made for {context} tokens, --max-model-len asks for {length}. Lower it to {context}.");
    }
}
