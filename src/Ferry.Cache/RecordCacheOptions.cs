namespace Ferry.Cache;

/// <summary>Bounds of a <see cref="RecordCache"/>.</summary>
public sealed record RecordCacheOptions
{
    /// <summary>A record that a tier names is not read if it is larger: nothing real is (a 405B model's chunk is 126 MiB in one shard).</summary>
    public int RecordBytesMax { get; init; } = 1 << 30;

    public Tiers.TierGuardOptions Guard { get; init; } = new();

    /// <summary>Record bytes that may wait for each tier, at most; never more than a quarter of the memory.</summary>
    public long WriteBehindBytesMax { get; init; } = 1L << 30;

    public int WritersPerTier { get; init; } = 2;

    public TimeSpan CloseDeadline { get; init; } = TimeSpan.FromSeconds(10);
}
