using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>PT_HPU_LAZY_MODE=1 is no longer what the plug-in is made for.</summary>
internal sealed class LazyMode : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU001",
        Severity = LintSeverity.Warning,
        Title = "PT_HPU_LAZY_MODE=1 is no longer what the plug-in is made for",
        Why = "Eager mode with torch.compile (0) is the default; lazy mode has left vllm-gaudi's tests.",
        Symptom = "Graph recompilations, slower start, errors that nobody else has.",
        Fix = "Take PT_HPU_LAZY_MODE out (or set it to 0).",
        Versions = "vllm-gaudi 0.12 and later",
        Sources = ["vllm-gaudi README (PT_HPU_LAZY_MODE)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PT_HPU_LAZY_MODE=1 -e PT_HPU_ENABLE_LAZY_COLLECTIVES=true \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.IsOn("PT_HPU_LAZY_MODE")) { return; }
        var setting = engine.Environment.Find("PT_HPU_LAZY_MODE")!;
        findings.Report(Info, setting.Span, $"{engine.Name} runs in lazy mode, which vllm-gaudi no longer tests. Take PT_HPU_LAZY_MODE out, or set it to 0.", Edits.Replace(setting.Value!, "0"));
    }
}
