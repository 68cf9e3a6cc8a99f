using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>The model's id is not written as on the hub.</summary>
internal sealed class ModelIdCase : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM004",
        Severity = LintSeverity.Warning,
        Title = "The model's id is not written as on the hub",
        Why = "The hub answers any letter case by redirecting, but vLLM, LMCache and NIXL use the string as it stands in keys and hashes. " +
            "Llama-3.1-70b and Llama-3.1-70B share nothing.",
        Symptom = "0 hits between nodes that write it differently; a download under a second name.",
        Fix = "Write the canonical id.",
        Versions = "every version",
        Sources = ["Hugging Face model card of the model"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70b-Instruct --tensor-parallel-size 4
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Model is not { HasUnknown: false } model || ModelIds.TryCanonical(model.Value) is not { } canonical || canonical == model.Value) { return; }
        findings.Report(Info, model.Span, $"{model.Value} is {canonical} on the hub; keys and hashes use the string as written. Write {canonical} on every node.", Edits.Replace(model, canonical));
    }
}
