using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>--trust-remote-code runs the model repository's Python.</summary>
internal sealed class TrustRemoteCode : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC003",
        Severity = LintSeverity.Warning,
        Title = "--trust-remote-code runs the model repository's Python",
        Why = "The flag executes code of the repository at every start, with the engine's rights and secrets. Llama, Mistral, Qwen and the like " +
            "need none of it.",
        Symptom = "Nothing shows at run time.",
        Fix = "Take it out; if a model does need it, pin --revision to a commit that somebody has read.",
        Versions = "every version",
        Sources = ["vLLM docs/usage/security.md", "Hugging Face documentation, custom models"],
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
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --trust-remote-code
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Arguments.Flag("--trust-remote-code") is not { } flag || flag.Value?.Value.Equals("false", StringComparison.OrdinalIgnoreCase) == true) { return; }
        var isLlama = engine.Model?.Value.Contains("llama", StringComparison.OrdinalIgnoreCase) == true;
        findings.Report(Info, flag.Span, $"{engine.Name} runs Python code out of the repository of {engine.Model?.Value ?? "its model"}{(isLlama ? ", which Llama does not need" : "")}. Take --trust-remote-code out.", Edits.Remove(flag));
    }
}
