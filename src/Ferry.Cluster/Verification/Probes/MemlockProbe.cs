using System.Text.RegularExpressions;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>Where KV buffers are registered with an RDMA device, the process may lock memory without a limit.</summary>
internal sealed partial class MemlockProbe : IProbe
{
    public string Id => "memlock";

    public string Title => "processes that register memory may lock it";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Engines
        .Where(engine => engine.Planned.Hardware.LocksMemory)
        .Select(engine => new ProbeTask(engine.Name, token => RunAsync(engine, token)));

    private static async Task<ProbeAnswer> RunAsync(VerifyTarget engine, CancellationToken cancellationToken)
    {
        var processes = EnvironmentProbe.OwnProcesses(await engine.Access.ProcessesAsync(cancellationToken), engine.Planned.Program);
        var limits = processes.Select(process => SoftLimit(process.Limits)).OfType<string>().Distinct().ToList();
        if (limits.Count == 0)
        {
            return processes.Count == 0
                ? ProbeAnswer.Violation($"no process of {engine.Planned.Program} runs in {engine.Access.Description}.")
                : ProbeAnswer.Inconclusive($"the limits of {processes.Count} processes cannot be read.", "Run it as root.");
        }
        return limits is ["unlimited"]
            ? ProbeAnswer.Pass("unlimited")
            : ProbeAnswer.Violation($"the limit of locked memory is {string.Join(", ", limits.Where(limit => limit != "unlimited").Select(limit => $"{limit} bytes"))}: registering KV buffers will fail.", "docker run --ulimit memlock=-1 --cap-add=IPC_LOCK.");
    }

    /// <summary>The soft limit in the line <c>Max locked memory  8388608  8388608  bytes</c>.</summary>
    internal static string? SoftLimit(string limits) => LockedMemory().Match(limits) is { Success: true } match ? match.Groups["soft"].Value : null;

    [GeneratedRegex(@"^Max locked memory\s+(?<soft>unlimited|\d+)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex LockedMemory();
}
