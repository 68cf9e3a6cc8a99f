using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A Gaudi container without the habana runtime.</summary>
internal sealed class HabanaRuntime : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR004",
        Severity = LintSeverity.Error,
        Title = "A Gaudi container without the habana runtime",
        Why = "The runtime mounts the driver's libraries and devices that HABANA_VISIBLE_DEVICES names. Without it the variable does nothing.",
        Symptom = "`RuntimeError: synStatus=8 [Device not found] Device acquire failed`.",
        Fix = "Add --runtime=habana (Kubernetes: the resource habana.ai/gaudi).",
        Versions = "every version",
        Sources = ["Intel Gaudi documentation, Docker installation"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host -e HABANA_VISIBLE_DEVICES=0 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.Kubernetes is not null || engine.Container is not { Privileged: null, Runtime: not { Value: "habana" } } container) { return; }
        // CDI names and plain device files do without the runtime.
        if (container.Devices.Any(device => device.Value.StartsWith("habana.ai/", StringComparison.Ordinal) || device.Value.StartsWith("/dev/accel", StringComparison.Ordinal) || device.Value.StartsWith("/dev/hl", StringComparison.Ordinal))) { return; }
        findings.Report(Info, container.Runtime?.Span ?? container.Name?.Span ?? engine.HeadSpan, $"{engine.Name} runs on Gaudi ({engine.Accelerator.Reason}) without --runtime=habana, so HABANA_VISIBLE_DEVICES does nothing. Add --runtime=habana.");
    }
}
