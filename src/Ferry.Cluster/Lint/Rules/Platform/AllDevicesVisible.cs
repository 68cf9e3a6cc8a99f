using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>All Gaudi devices visible to an engine that uses some.</summary>
internal sealed class AllDevicesVisible : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU003",
        Severity = LintSeverity.Warning,
        Title = "All Gaudi devices visible to an engine that uses some",
        Why = "HABANA_VISIBLE_DEVICES=all gives the container the node's eight devices; an engine with fewer ranks takes the first ones, and a " +
            "second container beside it takes the same.",
        Symptom = "`Device acquire failed` in the second container; idle devices.",
        Fix = "Name as many modules as there are ranks: HABANA_VISIBLE_DEVICES=0,1,2,3.",
        Versions = "every version",
        Sources = ["Intel Gaudi documentation, Docker (HABANA_VISIBLE_DEVICES)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --runtime=habana --net=host --ipc=host -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --runtime=habana --net=host --ipc=host -e HABANA_VISIBLE_DEVICES=all \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Environment.Value("HABANA_VISIBLE_DEVICES") is not { Value: "all" } value || engine.Ranks() is not { } ranks || ranks >= AcceleratorProfiles.Gaudi3.DevicesPerNode) { return; }
        var devices = string.Join(',', Enumerable.Range(0, ranks));
        findings.Report(Info, value.Span, $"{engine.Name} sees all devices of the node and uses {ranks}. Write HABANA_VISIBLE_DEVICES={devices}.", Edits.Replace(value, devices));
    }
}
