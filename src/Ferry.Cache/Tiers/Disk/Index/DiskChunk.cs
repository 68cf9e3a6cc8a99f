using Ferry.Cache.Eviction;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Tiers.Disk.Index;

/// <summary>A chunk that has records on disk. Changed under the store's lock only.</summary>
internal sealed class DiskChunk(DiskSpace space, ChunkHash hash)
{
    /// <summary>The policy's own.</summary>
    public EvictionLink Link;

    /// <summary>The chunk's number in the index.</summary>
    public int Number { get; init; }

    /// <summary>Header and payload of all its records.</summary>
    public long RecordBytes { get; set; }

    public DiskSpace Space { get; } = space;

    public ChunkHash Hash => hash;

    public DiskChunk? NextInBucket { get; set; }

    public DiskRecord? First { get; set; }

    public uint LastUsedUnixSeconds { get; set; }

    /// <summary>Reads under way, which the records stay for.</summary>
    public ushort Readers { get; set; }

    public bool IsPinned { get; set; }

    /// <summary>True while the policy does not hold the node: it came up for eviction when it was being read or was pinned.</summary>
    public bool IsParked { get; set; }

    public KvKey Key => new(Space.Salt, Space.Model, hash);

    public DiskRecord? Find(DiskFamily family, int firstHead, int heads)
    {
        for (var record = First; record is not null; record = record.Next)
        {
            if (ReferenceEquals(record.Family, family) && record.FirstHead == firstHead && record.Heads == heads)
            {
                return record;
            }
        }
        return null;
    }

    public bool Contains(DiskRecord wanted)
    {
        for (var record = First; record is not null; record = record.Next)
        {
            if (ReferenceEquals(record, wanted))
            {
                return true;
            }
        }
        return false;
    }
}
