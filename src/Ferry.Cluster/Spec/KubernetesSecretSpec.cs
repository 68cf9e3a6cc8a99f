namespace Ferry.Cluster.Spec;

/// <summary>A key of a Secret in the cluster's namespace.</summary>
public sealed record KubernetesSecretSpec
{
    [SpecKey("name", "The Secret.", Pattern = "[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", PatternText = "the name of a Secret", Example = "kv-s3")]
    public required string Name { get; init; }

    [SpecKey("key", "Its key.", Pattern = "[A-Za-z0-9._-]{1,253}", PatternText = "a key of a Secret", Example = "secret-key")]
    public required string Key { get; init; }
}
