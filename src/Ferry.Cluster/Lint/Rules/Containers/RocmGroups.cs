using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A ROCm container without the groups that own its devices.</summary>
internal sealed class RocmGroups : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR002",
        Severity = LintSeverity.Warning,
        Title = "A ROCm container without the groups that own its devices",
        Why = "/dev/kfd and /dev/dri/renderD* belong to the groups render and video. A container process that is not root, or a host that gives " +
            "them no world access, cannot open them without both groups.",
        Symptom = "`Unable to open /dev/kfd read-write: Permission denied`.",
        Fix = "Add --group-add video --group-add render.",
        Versions = "every version",
        Sources = ["ROCm documentation, Running ROCm Docker containers"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri --group-add video --group-add render \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host --device=/dev/kfd --device=/dev/dri --group-add video \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || engine.Kubernetes is not null || engine.Container is not { Privileged: null } container || container.Runtime?.Value == "amd") { return; }
        string[] missing = [.. ((string[])["video", "render"]).Where(name => container.Groups.All(group => group.Value != name))];
        // A number is the host's group of one of the two; which, only the host knows.
        if (missing.Length == 0 || container.Groups.Any(group => group.HasUnknown || group.Value.All(char.IsAsciiDigit))) { return; }
        findings.Report(Info, (container.Groups.Count > 0 ? container.Groups[^1] : container.Name)?.Span ?? engine.HeadSpan,
            $"{engine.Name}'s container is not in {string.Join(" and ", missing)}. Add {string.Join(' ', missing.Select(group => "--group-add " + group))}.");
    }
}
