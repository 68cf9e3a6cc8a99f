using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Tensor parallelism in lazy mode without PT_HPU_ENABLE_LAZY_COLLECTIVES.</summary>
internal sealed class LazyCollectives : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU002",
        Severity = LintSeverity.Warning,
        Title = "Tensor parallelism in lazy mode without PT_HPU_ENABLE_LAZY_COLLECTIVES",
        Why = "In lazy mode collectives must be part of the graph. Newer plug-ins set the variable themselves when it is unset, older ones do " +
            "not.",
        Symptom = "A hang or RuntimeError in the first all-reduce.",
        Fix = "Set PT_HPU_ENABLE_LAZY_COLLECTIVES=true, or leave lazy mode.",
        Versions = "vllm-gaudi all, in lazy mode",
        Sources = ["vllm-gaudi README (environment variables)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PT_HPU_LAZY_MODE=1 -e PT_HPU_ENABLE_LAZY_COLLECTIVES=true \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PT_HPU_LAZY_MODE=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.IsOn("PT_HPU_LAZY_MODE") || engine.TensorParallel is not (> 1 and { } ranks) || engine.IsOn("PT_HPU_ENABLE_LAZY_COLLECTIVES")) { return; }
        findings.Report(Info, engine.Environment.Find("PT_HPU_LAZY_MODE")!.Span, $"{engine.Name} has {ranks} ranks in lazy mode without PT_HPU_ENABLE_LAZY_COLLECTIVES=true, which only newer plug-ins set by themselves. Add it, or leave lazy mode.");
    }
}
