using Ferry.Cache.Eviction;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>All records of one chunk: the shards of one layout, and perhaps those of others beside them. Changed under the store's lock only.</summary>
internal sealed class ChunkEntry(KvKey key) : EvictionNode
{
    private volatile bool _parked;

    public KvKey Key { get; } = key;

    public List<StoredRecord> Records { get; } = [];

    /// <summary>True while the policy does not hold the node, because a reader held a record when the chunk came up for eviction.</summary>
    public bool Parked { get => _parked; set => _parked = value; }

    /// <summary>False once the chunk has left the index.</summary>
    public bool InIndex { get; set; }

    /// <summary>The record of exactly this layout, or null. Of opaque records a chunk has one, whatever its length.</summary>
    public StoredRecord? Find(KvLayout layout)
    {
        foreach (var record in Records)
        {
            if (record.Header.Layout == layout || (layout.IsOpaque && record.Header.Layout.IsOpaque))
            {
                return record;
            }
        }
        return null;
    }

    public bool IsLeased()
    {
        foreach (var record in Records)
        {
            if (record.Leases > 0)
            {
                return true;
            }
        }
        return false;
    }
}
