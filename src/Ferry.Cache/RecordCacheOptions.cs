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

    /// <summary>Chunks of a chain that a tier is asked for in one call.</summary>
    public int FindsPerCall { get; init; } = 128;

    /// <summary>Chunks of one chain that are read from the tiers at one time.</summary>
    public int ReadsPerChain { get; init; } = 4;

    /// <summary>Whether what was read from a tier is also written, behind, to the tiers above it that take records: what S3 had is on the disk next time.</summary>
    public bool PromoteToUpperTiers { get; init; } = true;

    /// <summary>Whether a chain is loaded only so far as loading it is faster than computing it. False: whatever is found is loaded.</summary>
    public bool LoadOnlyIfCheaper { get; init; } = true;

    /// <summary>A tier found too slow is tried again after so long without a read.</summary>
    public TimeSpan ProbeAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Record bytes that are brought up for who looked them up, and wait in memory to be asked for, at most; never more than a quarter of the memory. 0: a look-up brings up nothing.</summary>
    public long PrefetchBytesAheadMax { get; init; }

    /// <summary>Chunks that are prefetched at one time.</summary>
    public int PrefetchesAtOnce { get; init; } = 4;

    /// <summary>Chunks that were looked up and wait for their turn, at most: some chains' worth.</summary>
    public int PrefetchesWaitingMax { get; init; } = 4096;

    /// <summary>What was prefetched and not asked for in so long stays in memory as anything else does, and no longer counts as ahead.</summary>
    public TimeSpan PrefetchKeptFor { get; init; } = TimeSpan.FromSeconds(30);
}
