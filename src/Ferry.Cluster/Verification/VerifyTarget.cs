using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.Access;

namespace Ferry.Cluster.Verification;

/// <summary>One process of the cluster as it should be, and the way to it.</summary>
/// <param name="Name">Of the process in the plan; with its pod where several run.</param>
/// <param name="Planned">How it should be.</param>
/// <param name="Address">Host or IP of its machine, pod or service.</param>
/// <param name="Pool">Null for routers and exchanges.</param>
/// <param name="Access">The way into its machine or container.</param>
internal sealed record VerifyTarget(string Name, PlannedProcess Planned, string Address, PoolSpec? Pool, INodeAccess Access)
{
    /// <summary>Where it serves HTTP: its API, or the exchange's administration.</summary>
    public Uri Url => At(Planned.Health.Port);

    public Uri Health => new(Url, Planned.Health.Path);

    public Uri Metrics => new(At(Planned.MetricsPort), "/metrics");

    public bool IsEngine => Planned.Kind == PlannedKind.Engine;

    /// <summary>The port of that name; null: it has none.</summary>
    public int? PortOf(string name) => Planned.Ports.FirstOrDefault(port => port.Name == name)?.Number;

    private Uri At(int port) => new UriBuilder("http", Address.Contains(':', StringComparison.Ordinal) ? $"[{Address.Trim('[', ']')}]" : Address, port).Uri;
}
