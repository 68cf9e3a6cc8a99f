namespace Ferry.Cluster.Rendering.Plan;

/// <summary>A secret by reference: where its value will be when a process starts. The value itself is never known here.</summary>
/// <param name="Variable">Environment variable by which the process reads it.</param>
/// <param name="File">File on the host that holds it and nothing else; null: the variable of the same name in the environment of whoever starts the node.</param>
/// <param name="SourceVariable">Environment variable on the host that holds it, when <paramref name="File"/> is null.</param>
/// <param name="KubernetesSecret">Name of the Secret object.</param>
/// <param name="KubernetesKey">Key in it.</param>
/// <param name="Purpose">What it is for and how to make one, for the comment beside it.</param>
public sealed record PlannedSecret(string Variable, string? File, string SourceVariable, string KubernetesSecret, string KubernetesKey, string Purpose);
