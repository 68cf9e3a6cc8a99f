using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>The tensor-parallel size does not divide the model's heads.</summary>
internal sealed class AttentionHeads : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP011",
        Severity = LintSeverity.Error,
        Title = "The tensor-parallel size does not divide the model's heads",
        Why = "Attention heads are dealt out to the ranks in equal numbers.",
        Symptom = "`ValueError: Total number of attention heads (…) must be divisible by tensor parallel size (…)`.",
        Fix = "Choose a size that divides the number of heads (and, better, of KV heads: above it they are copied).",
        Versions = "every version",
        Sources = ["vLLM vllm/config/model.py (verify_with_parallel_config)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 6
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Shape() is not { } shape || engine.TensorParallel is not (> 1 and { } ranks) || shape.Heads % ranks == 0) { return; }
        findings.Report(Info, TensorParallelSpan.Of(engine), $"{engine.Model!.Value} has {shape.Heads} attention heads ({shape.KvHeads} for KV), which {ranks} ranks cannot share equally. Use a size that divides {shape.Heads}.");
    }
}
