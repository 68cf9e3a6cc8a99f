using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A ROCm container without /dev/kfd or /dev/dri.</summary>
internal sealed class RocmDevices : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR001",
        Severity = LintSeverity.Error,
        Title = "A ROCm container without /dev/kfd or /dev/dri",
        Why = "ROCm reaches the GPU through /dev/kfd (compute) and /dev/dri (render nodes). A container sees neither unless both are passed in.",
        Symptom = "`RuntimeError: No HIP GPUs are available`.",
        Fix = "Add --device=/dev/kfd --device=/dev/dri.",
        Versions = "every version",
        Sources = ["ROCm documentation, Running ROCm Docker containers"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri -e HIP_VISIBLE_DEVICES=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd -e HIP_VISIBLE_DEVICES=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || engine.Kubernetes is not null || engine.Container is not { } container || container.Runtime?.Value == "amd") { return; }
        string[] missing = [.. ((string[])["/dev/kfd", "/dev/dri"]).Where(device => !container.HasDevice(device))];
        if (missing.Length == 0) { return; }
        findings.Report(Info, container.Name?.Span ?? engine.HeadSpan, $"{engine.Name} runs on ROCm ({engine.Accelerator.Reason}) and its container does not get {string.Join(" and ", missing)}. Add {string.Join(' ', missing.Select(device => "--device=" + device))}.");
    }
}
