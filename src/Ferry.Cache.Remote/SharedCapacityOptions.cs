namespace Ferry.Cache.Remote;

/// <summary>Limits of a store that several nodes write to.</summary>
internal sealed record SharedCapacityOptions
{
    /// <summary>Null for no limit.</summary>
    public long? CapacityBytes { get; init; }

    /// <summary>Null: records do not expire, or the store sees to it itself.</summary>
    public TimeSpan? ExpireAfter { get; init; }

    /// <summary>Records that one walk looks at; a store with more is measured in part.</summary>
    public int ScanRecordsMax { get; init; } = 1_000_000;

    /// <summary>How often the store is counted again though nothing here asked for it.</summary>
    public TimeSpan RecountEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a put waits for a walk to make room. A walk over a large bucket takes longer; it goes on, and the put finds the tier full.</summary>
    public TimeSpan RoomWait { get; init; } = TimeSpan.FromSeconds(1);
}
