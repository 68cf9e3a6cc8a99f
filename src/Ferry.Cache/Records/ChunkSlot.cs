using Ferry.Cache.Eviction;
using Ferry.Kv.Hashing;

namespace Ferry.Cache.Records;

/// <summary>One chunk's entry: its key, its records (the shards of one layout, and perhaps of others beside them) and its place in the policy. 72 bytes.</summary>
internal struct ChunkSlot
{
    public ChunkHash Hash;
    public ChunkFlags Flags;
    public ushort RecordCount;
    public int Salt;
    public int Model;

    /// <summary>The newest record, the next in <see cref="RecordSlot.Next"/>; or the next free entry.</summary>
    public int FirstRecord;

    /// <summary>Arena units of all records.</summary>
    public int Units;

    /// <summary>When the chunk came, by the store's <see cref="CoarseClock"/>.</summary>
    public uint BornAt;

    public uint UsedAt;

    public EvictionLink Link;
}
