using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Gaudi turns this dtype into bfloat16.</summary>
internal sealed class ForcedBfloat16 : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU005",
        Severity = LintSeverity.Warning,
        Title = "Gaudi turns this dtype into bfloat16",
        Why = "The plug-in computes float16 and float32 models in bfloat16. The other node does not, so dtype and KV differ although the flags " +
            "agree.",
        Symptom = "`WARNING … casting to bfloat16`; `NIXL compatibility hash mismatch`.",
        Fix = "Write --dtype bfloat16 on both sides.",
        Versions = "vllm-gaudi all",
        Sources = ["vllm-gaudi vllm_gaudi/platform.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --dtype bfloat16
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --dtype float16
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.DType() is not { Value: "float16" or "half" or "float32" or "float" } dtype) { return; }
        findings.Report(Info, dtype.Span, $"Gaudi computes {dtype.Value} models in bfloat16. Write --dtype bfloat16 here and on the peer.", Edits.Replace(dtype, "bfloat16"));
    }
}
