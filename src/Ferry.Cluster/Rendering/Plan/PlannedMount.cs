namespace Ferry.Cluster.Rendering.Plan;

/// <summary>A file or directory in the process' file system that is not the image's.</summary>
/// <param name="Name">Name of the volume, and of the claim in Kubernetes.</param>
/// <param name="HostPath">Path on the host: absolute, <c>./name</c> beside the scripts, or <c>${VARIABLE}</c> of whoever starts the node; null: a named volume.</param>
/// <param name="Bytes">What a claim asks for; 0 where none is made.</param>
public sealed record PlannedMount(string Name, string? HostPath, string ContainerPath, bool IsReadOnly, long Bytes, string Comment)
{
    /// <summary>In Kubernetes: the Secret whose key is this file.</summary>
    public (string Name, string Key)? SecretFile { get; init; }

    /// <summary>In Kubernetes: the ConfigMap that is made of a file which the user puts beside the kustomization.</summary>
    public (string Name, string Key)? ConfigFile { get; init; }

    /// <summary>Environment variable of the host that names the path; null: the path stands here.</summary>
    public string? HostVariable => HostPath is { } path && path.StartsWith("${", StringComparison.Ordinal) ? path[2..^1] : null;

    /// <summary>Name of a file that must lie beside the scripts; null: none.</summary>
    public string? FileBeside => HostPath is { } path && path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : null;
}
