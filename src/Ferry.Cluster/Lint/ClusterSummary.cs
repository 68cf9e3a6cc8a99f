using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint;

/// <summary>One line that says what was recognised, so that a user sees at once when something was not.</summary>
internal static class ClusterSummary
{
    public static string Of(ObservedCluster cluster)
    {
        var parts = new List<string>();
        Add(parts, cluster.Engines.Count(engine => engine.Role == ProcessRole.Prefill), "prefill engine");
        Add(parts, cluster.Engines.Count(engine => engine.Role == ProcessRole.Decode), "decode engine");
        Add(parts, cluster.Engines.Count(engine => engine.Role is ProcessRole.Both or ProcessRole.Unknown), "engine");
        Add(parts, cluster.Processes.Count(process => process.Kind is ProcessKind.Router or ProcessKind.FerryRoute), "router");
        Add(parts, cluster.Processes.Count(process => process.Kind is ProcessKind.LmCacheServer or ProcessKind.FerryCache or ProcessKind.Redis), "cache server");
        Add(parts, cluster.Processes.Count(process => process.IsFragment), "file of settings", "files of settings");
        Add(parts, cluster.Processes.Count(process => process.Kind == ProcessKind.Unknown && !process.IsFragment), "other process", "other processes");
        return parts.Count > 0 ? string.Join(", ", parts) : "no process recognised";
    }

    private static void Add(List<string> parts, int count, string one, string? many = null)
    {
        if (count > 0) { parts.Add($"{count} {(count == 1 ? one : many ?? one + "s")}"); }
    }
}
