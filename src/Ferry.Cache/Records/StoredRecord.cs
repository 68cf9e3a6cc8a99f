using Ferry.Cache.Arena;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>One whole, visible record. The store holds one reference to its slot; each lease holds another.</summary>
internal sealed class StoredRecord(ChunkEntry entry, KvRecordHeader header, ArenaSlot slot)
{
    private int _leases;

    public ChunkEntry Entry { get; } = entry;

    public KvRecordHeader Header { get; } = header;

    public ArenaSlot Slot { get; } = slot;

    /// <summary>The layout without the head span: shards of one family make up the whole chunk together.</summary>
    public KvLayout Family { get; } = ShardCover.FamilyOf(header.Layout);

    public int Leases => Volatile.Read(ref _leases);

    /// <returns>Leases after this one.</returns>
    public int AddLease() => Interlocked.Increment(ref _leases);

    /// <returns>Leases left.</returns>
    public int EndLease() => Interlocked.Decrement(ref _leases);
}
