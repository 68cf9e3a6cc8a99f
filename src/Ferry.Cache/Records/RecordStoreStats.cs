using Ferry.Cache.Eviction;

namespace Ferry.Cache.Records;

/// <summary>Counts since the store began, and what it holds now.</summary>
/// <param name="UsedBytes">Arena bytes in use, reservations and late readers' included.</param>
/// <param name="HeldBytes">Of those, bytes that cannot be evicted now: leased, pinned, or being filled.</param>
/// <param name="Hits">Chunks asked for and found.</param>
/// <param name="Misses">Chunks asked for and not found.</param>
/// <param name="Evictions">Chunks dropped to make room, in the memory or in a quota.</param>
/// <param name="Duplicates">Records committed a second time and dropped.</param>
/// <param name="Damaged">Records dropped because their checksum did not match.</param>
/// <param name="Refused">Reservations that could not be given room.</param>
/// <param name="Leases">Leases not yet disposed.</param>
public sealed record RecordStoreStats(
    long CapacityBytes, long UsedBytes, long HeldBytes, int Chunks, int Records, long Hits, long Misses, long Evictions,
    long Duplicates, long Damaged, long Refused, int Leases)
{
    /// <summary>Records that clients stored under keys of their own.</summary>
    public int ClientRecords { get; init; }

    /// <summary>Reservations that a quota refused.</summary>
    public long OverQuota { get; init; }

    /// <summary>Records put, those dropped as duplicates not counted.</summary>
    public long Stored { get; init; }

    public long StoredBytes { get; init; }

    /// <summary>Bytes of what was found and leased.</summary>
    public long HitBytes { get; init; }

    /// <summary>Chunks pinned by their key.</summary>
    public int PinnedChunks { get; init; }

    /// <summary>Departures by reason: chunks (records that left alone count as one) and arena bytes.</summary>
    public required IReadOnlyDictionary<EvictionReason, (long Count, long Bytes)> Left { get; init; }
}
