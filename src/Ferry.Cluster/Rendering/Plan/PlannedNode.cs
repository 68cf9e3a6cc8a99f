namespace Ferry.Cluster.Rendering.Plan;

/// <summary>A host with its containers in the order in which they start; in Kubernetes a group of equal pods.</summary>
/// <param name="Name">Name of the directory, or of the group.</param>
/// <param name="Address">Address by which the others reach it.</param>
/// <param name="Pool">Pool of the description; null: it has none of its own.</param>
/// <param name="Replicas">How many of them there are: above 1 in Kubernetes only.</param>
/// <param name="Machines">Machines that make the group: their names and labels, as the description has them.</param>
public sealed record PlannedNode(
    string Name, string Address, string? Pool, int Replicas, IReadOnlyList<(string Name, IReadOnlyDictionary<string, string> Labels)> Machines, IReadOnlyList<PlannedProcess> Processes);
