namespace Ferry.Cluster.Rendering.Plan;

/// <summary>A configuration file that is written beside the scripts and that the process sees, read only.</summary>
/// <param name="Name">File name without directories.</param>
/// <param name="ContainerPath">Where the process reads it.</param>
public sealed record PlannedFile(string Name, string ContainerPath, string Content);
