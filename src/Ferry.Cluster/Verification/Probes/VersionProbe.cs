namespace Ferry.Cluster.Verification.Probes;

/// <summary>Each engine is of the version that ferry.yaml says, and all are of one: vLLM's handshake compares it.</summary>
internal sealed class VersionProbe : IProbe
{
    public string Id => "version";

    public string Title => "engine versions as ferry.yaml says, and equal";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => [new ProbeTask("all engines", token => RunAsync(cluster, token))];

    /// <returns>The version that an engine says, and whether it is Ferry's; nulls with the reason.</returns>
    internal static async Task<(string? Version, bool IsFerry, string Problem)> AskAsync(VerifyCluster cluster, VerifyTarget engine, CancellationToken cancellationToken)
    {
        try
        {
            var (body, problem) = await cluster.Http.GetJsonAsync(new Uri(engine.Url, "/version"), cancellationToken);
            return body.Text("version") is { } version ? (version, body.Text("engine") == "ferry", "") : (null, false, problem.Length > 0 ? problem : "no version in the answer");
        }
        catch (HttpRequestException exception)
        {
            return (null, false, exception.GetBaseException().Message);
        }
    }

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        var wrong = new List<string>();
        var silent = new List<string>();
        var said = new List<(string Engine, string Version)>();
        foreach (var engine in cluster.Engines)
        {
            var (version, _, problem) = await AskAsync(cluster, engine, cancellationToken);
            if (version is null)
            {
                silent.Add($"{engine.Name}: {problem}");
                continue;
            }
            said.Add((engine.Name, version));
            if (engine.Pool!.Engine.Version is { } wanted && version != wanted && !version.StartsWith(wanted + "+", StringComparison.Ordinal) && version != $"v{wanted}")
            {
                wrong.Add($"{engine.Name} is {version}, and ferry.yaml says {wanted}");
            }
        }
        // Builds of one release for different platforms differ behind the plus sign only.
        foreach (var other in said.Skip(1).Where(other => Release(other.Version) != Release(said[0].Version)))
        {
            wrong.Add($"{said[0].Engine} is {said[0].Version}, {other.Engine} is {other.Version}");
        }
        return wrong.Count == 0 && silent.Count > 0
            ? ProbeAnswer.Inconclusive(string.Join("; ", silent))
            : ProbeAnswer.Of(wrong, string.Join(", ", said.Select(one => $"{one.Engine} {one.Version}")), "Use images of one release on both sides.");
    }

    private static string Release(string version) => version.Split('+')[0].TrimStart('v');
}
