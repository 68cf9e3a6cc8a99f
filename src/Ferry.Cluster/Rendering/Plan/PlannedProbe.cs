namespace Ferry.Cluster.Rendering.Plan;

/// <summary>HTTP requests that answer 200 while the process is well.</summary>
/// <param name="Path">200 while it lives.</param>
/// <param name="Host">Address to ask; null: the node's own.</param>
/// <param name="StartsWithin">How long the first 200 may take: loading 140 GB of weights takes minutes.</param>
public sealed record PlannedProbe(int Port, string Path, TimeSpan StartsWithin, string? Host = null)
{
    /// <summary>200 while it would take work: <see cref="Path"/>, unless it has something more to say.</summary>
    public string ReadyPath { get; init; } = Path;
}
