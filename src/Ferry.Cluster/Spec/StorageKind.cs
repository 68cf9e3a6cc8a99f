namespace Ferry.Cluster.Spec;

/// <summary>What the nodes share.</summary>
public enum StorageKind
{
    None,
    S3,
    Redis,
    Directory,
}
