namespace Ferry.Cluster.Rendering.Plan;

/// <summary>A TCP port on which a process listens.</summary>
/// <param name="Name">At most 15 lower-case letters and dashes: Kubernetes' port name.</param>
/// <param name="Callers">Who connects to it.</param>
public sealed record PlannedPort(string Name, int Number, PortCallers Callers);
