using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A base model has no chat template.</summary>
internal sealed class BaseModelWithoutChat : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM005",
        Severity = LintSeverity.Warning,
        Title = "A base model has no chat template",
        Why = "A base model's tokenizer carries no chat template, so /v1/chat/completions is refused; and its answers continue the text instead " +
            "of following it.",
        Symptom = "`HTTP 400: As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template`.",
        Fix = "Serve the -Instruct variant, or pass the same --chat-template on every node.",
        Versions = "every version",
        Sources = ["vLLM docs/serving/openai_compatible_server.md (chat template)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Model is not { HasUnknown: false } model || engine.Arguments.Has("--chat-template") || !ModelIds.IsBase(model.Value)) { return; }
        findings.Report(Info, model.Span, $"{model.Value} is a base model without a chat template: /v1/chat/completions answers 400. Serve {ModelIds.TryCanonical(model.Value)}-Instruct on every node, or pass --chat-template.");
    }
}
