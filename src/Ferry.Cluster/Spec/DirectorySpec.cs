namespace Ferry.Cluster.Spec;

/// <summary>A directory that every node mounts.</summary>
public sealed record DirectorySpec
{
    [SpecKey("path", "The same path on every node.", Pattern = @"/[^\s'""$`\\]*", PatternText = "an absolute path without blanks and quotes", Example = "/mnt/kv")]
    public required string Path { get; init; }

    [SpecKey("size", "Cap of the tier, all nodes together; left out: what the file system has.", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 60)]
    public long? MaximumBytes { get; init; }
}
