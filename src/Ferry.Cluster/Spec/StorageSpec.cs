namespace Ferry.Cluster.Spec;

/// <summary>The shared tier: at most one of the three.</summary>
public sealed record StorageSpec
{
    [SpecKey("s3", "A bucket: Ceph RGW or any S3.")]
    public S3Spec? S3 { get; init; }

    [SpecKey("redis", "A Redis or Valkey.")]
    public RedisSpec? Redis { get; init; }

    [SpecKey("directory", "A directory that every node mounts: CephFS, NFS.")]
    public DirectorySpec? Directory { get; init; }

    public StorageKind Kind => S3 is not null ? StorageKind.S3 : Redis is not null ? StorageKind.Redis : Directory is not null ? StorageKind.Directory : StorageKind.None;
}
