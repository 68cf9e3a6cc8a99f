using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;

namespace Ferry.Cache.Records;

/// <summary>What a store counts under its lock.</summary>
internal sealed class StoreCounts
{
    private long _hits;
    private long _misses;

    public long Duplicates { get; set; }

    public long Damaged { get; set; }

    public long Stored { get; set; }

    public long StoredBytes { get; set; }

    public long HitBytes { get; set; }

    public void Looked(int found, int asked)
    {
        _hits += found;
        _misses += asked - found;
    }

    public RecordStoreStats ToStats(RecordIndex index, KvArena arena, RecordRoom room, int leases, int pinnedChunks) => new(
        arena.CapacityBytes, arena.UsedBytes, room.HeldBytes, index.Chunks.Count, index.RecordCount, _hits, _misses,
        index.Left[(int)EvictionReason.Capacity] + index.Left[(int)EvictionReason.Quota], Duplicates, Damaged, room.Refused, leases)
    {
        ClientRecords = index.ClientRecordCount,
        OverQuota = room.OverQuota,
        Stored = Stored,
        StoredBytes = StoredBytes,
        HitBytes = HitBytes,
        PinnedChunks = pinnedChunks,
        Left = Enum.GetValues<EvictionReason>().ToDictionary(reason => reason, reason => (index.Left[(int)reason], index.LeftBytes[(int)reason])),
    };
}
