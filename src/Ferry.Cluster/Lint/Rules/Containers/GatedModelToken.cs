using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A gated model without a token.</summary>
internal sealed class GatedModelToken : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR012",
        Severity = LintSeverity.Warning,
        Title = "A gated model without a token",
        Why = "Meta's Llama and Google's Gemma are gated on Hugging Face. Without HF_TOKEN (or a mounted cache or a local path) the download is " +
            "refused.",
        Symptom = "`huggingface_hub.errors.GatedRepoError: 401 Client Error … Access to model … is restricted`.",
        Fix = "Pass -e HF_TOKEN (by name, the value from the environment), or mount a cache that holds the model: -v " +
            "/models/hf:/root/.cache/huggingface.",
        Versions = "every version",
        Sources = ["Hugging Face documentation, Gated models"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HF_TOKEN \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    private static readonly string[] Gated = ["meta-llama/", "google/gemma"];
    private static readonly string[] Tokens = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"];

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Container is not { } container || engine.Model is not { HasUnknown: false } model || !Gated.Any(prefix => model.Value.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))) { return; }
        if (Tokens.Any(engine.Environment.Has) || ModelStore.IsMounted(engine, container)) { return; }
        findings.Report(Info, model.Span, $"{model.Value} is gated, and {engine.Name} gets no HF_TOKEN and no volume that could hold it. Add -e HF_TOKEN (the value from the caller's environment), or mount a cache.");
    }
}
