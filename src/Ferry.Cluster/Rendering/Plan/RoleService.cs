using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Plan;

/// <summary>In Kubernetes: one name for the pods of several pools that do the same for a request.</summary>
/// <param name="Role"><see cref="PoolRole.Prefill"/> or <see cref="PoolRole.Decode"/>.</param>
public sealed record RoleService(string Name, PoolRole Role, int Port);
