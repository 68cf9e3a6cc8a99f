namespace Ferry.Cache.Records;

/// <summary>Counts since the store began, and what it holds now.</summary>
/// <param name="UsedBytes">Arena bytes in use, reservations and late readers' included.</param>
/// <param name="HeldBytes">Of those, bytes that cannot be evicted now: leased, pinned, or being filled.</param>
/// <param name="Hits">Chunks asked for and found.</param>
/// <param name="Misses">Chunks asked for and not found.</param>
/// <param name="Evictions">Chunks dropped to make room.</param>
/// <param name="Duplicates">Records committed a second time and dropped.</param>
/// <param name="Damaged">Records dropped because their checksum did not match.</param>
/// <param name="Refused">Reservations that could not be given room.</param>
/// <param name="Leases">Leases not yet disposed.</param>
public sealed record RecordStoreStats(
    long CapacityBytes, long UsedBytes, long HeldBytes, int Chunks, int Records, long Hits, long Misses, long Evictions,
    long Duplicates, long Damaged, long Refused, int Leases);
