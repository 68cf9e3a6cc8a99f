using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>The model is downloaded into the container.</summary>
internal sealed class ModelCacheLost : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR013",
        Severity = LintSeverity.Info,
        Title = "The model is downloaded into the container",
        Why = "Without a volume for the Hugging Face cache each new container downloads the weights again, 141 GB for a 70B model, and a rate " +
            "limit or an outage stops the restart.",
        Symptom = "Minutes to hours of download before every start.",
        Fix = "Mount a directory: -v /models/hf:/root/.cache/huggingface.",
        Versions = "every version",
        Sources = ["vLLM docs/deployment/docker.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HF_TOKEN -v /models/hf:/root/.cache/huggingface \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e HF_TOKEN \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Container is not { } container || engine.Model is not { HasUnknown: false } model || !model.Value.Contains('/', StringComparison.Ordinal) || model.Value[0] is '/' or '.') { return; }
        if (ModelStore.IsMounted(engine, container)) { return; }
        findings.Report(Info, model.Span, $"{engine.Name} downloads {model.Value} into its container at every new start. Mount a cache: {(engine.Kubernetes is null ? "-v /models/hf:/root/.cache/huggingface" : "a persistentVolumeClaim at /root/.cache/huggingface")}.");
    }
}
