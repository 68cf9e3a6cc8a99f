namespace Ferry.Cluster.Spec;

/// <summary>What a pool's exchanges have of their own.</summary>
public sealed record PoolCacheSpec
{
    [SpecKey("memory", "Memory tier of a node, all ranks together.", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 50, DefaultText = "cache.memory")]
    public long? MemoryBytes { get; init; }

    [SpecKey("disk", "Disk tier of a node, all ranks together; 0: none.", Unit = SpecUnit.Bytes, Minimum = 0, Maximum = 1L << 60, DefaultText = "cache.disk")]
    public long? DiskBytes { get; init; }

    [SpecKey("diskPath", "Directory of the disk tier on the node.", Pattern = @"/[^\s'""$`\\]*", PatternText = "an absolute path without blanks and quotes", DefaultText = "cache.diskPath")]
    public string? DiskPath { get; init; }
}
