using Ferry.Cache.Eviction;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Records;

/// <summary>Chunks by key, and the policy's order over those that nobody reads. Not thread-safe: the store's lock guards it.</summary>
/// <remarks>Holds one reference to the slot of every record in it, and releases it when the record leaves.</remarks>
internal sealed class RecordIndex(IEvictionPolicy policy)
{
    private readonly Dictionary<KvKey, ChunkEntry> _chunks = new(KvKeyComparer.Instance);
    private readonly ShardFinder _finder = new();

    public int ChunkCount => _chunks.Count;

    public int RecordCount { get; private set; }

    public ChunkEntry? TryFind(in KvKey key) => _chunks.GetValueOrDefault(key);

    /// <summary>The shards that serve the query, and the chunk marked as used; empty or null on a miss. Valid until the next call.</summary>
    public IReadOnlyList<StoredRecord>? Find(in KvKey key, ChunkQuery query)
    {
        if (TryFind(key) is not { } entry)
        {
            return null;
        }
        var shards = _finder.Find(entry.Records, query);
        if (shards.Count > 0 && !entry.Parked)
        {
            policy.Touched(entry);
        }
        return shards;
    }

    /// <summary>The chunk's entry; a new one is in the index at once, for <see cref="Add"/> to fill.</summary>
    public ChunkEntry GetOrAdd(in KvKey key)
    {
        if (TryFind(key) is { } present)
        {
            return present;
        }
        var entry = new ChunkEntry(key) { InIndex = true };
        _chunks.Add(key, entry);
        policy.Added(entry);
        return entry;
    }

    public void Add(StoredRecord record)
    {
        record.Entry.Records.Add(record);
        record.Entry.RecordBytes += record.Slot.ByteCount;
        RecordCount++;
    }

    /// <summary>The end of the chain first, so that its head is the most recent.</summary>
    public void Touch(ReadOnlySpan<KvKey> chain)
    {
        for (var index = chain.Length - 1; index >= 0; index--)
        {
            if (TryFind(chain[index]) is { Parked: false } entry)
            {
                policy.Touched(entry);
            }
        }
    }

    /// <summary>Drops the chunk that the policy names, parking those on the way that are being read.</summary>
    public bool TryEvict()
    {
        while (policy.Victim() is ChunkEntry victim)
        {
            if (!TryPark(victim))
            {
                Drop(victim);
                return true;
            }
        }
        return false;
    }

    /// <summary>Gives a parked chunk back to the policy if nobody reads it any more.</summary>
    public void Unpark(ChunkEntry entry)
    {
        if (entry.Parked && entry.InIndex && !entry.IsLeased())
        {
            entry.Parked = false;
            policy.Added(entry);
        }
    }

    /// <returns>Records that left; 0 when the chunk had left before.</returns>
    public int Drop(ChunkEntry entry)
    {
        if (!entry.InIndex)
        {
            return 0;
        }
        entry.InIndex = false;
        _chunks.Remove(entry.Key);
        if (entry.Parked)
        {
            entry.Parked = false;
        }
        else
        {
            policy.Removed(entry);
        }
        var dropped = entry.Records.Count;
        RecordCount -= dropped;
        foreach (var record in entry.Records)
        {
            record.Slot.Release();
        }
        entry.Records.Clear();
        return dropped;
    }

    /// <returns>False when the record had left before.</returns>
    public bool TryDropRecord(StoredRecord record)
    {
        var entry = record.Entry;
        if (!entry.InIndex || !entry.Records.Remove(record))
        {
            return false;
        }
        RecordCount--;
        entry.RecordBytes -= record.Slot.ByteCount;
        record.Slot.Release();
        if (entry.Records.Count == 0)
        {
            Drop(entry);
        }
        return true;
    }

    /// <returns>Records that left.</returns>
    public int Clear()
    {
        var dropped = 0;
        foreach (var entry in _chunks.Values.ToArray())
        {
            dropped += Drop(entry);
        }
        return dropped;
    }

    /// <exception cref="InvalidOperationException">Index and policy contradict each other.</exception>
    public void CheckIntegrity()
    {
        var parked = _chunks.Values.Count(entry => entry.Parked);
        var records = _chunks.Values.Sum(entry => entry.Records.Count);
        if (records != RecordCount || policy.Count + parked != _chunks.Count || _chunks.Values.Any(entry => entry.Records.Count == 0 || !entry.InIndex))
        {
            throw new InvalidOperationException(
                $"Record index: {_chunks.Count} chunks with {records} records; counted {RecordCount}; the policy holds {policy.Count}, parked {parked}.");
        }
    }

    /// <summary>Takes a chunk that is being read out of the policy until its last lease ends. False when nobody reads it.</summary>
    private bool TryPark(ChunkEntry entry)
    {
        if (!entry.IsLeased())
        {
            return false;
        }
        policy.Removed(entry);
        entry.Parked = true;
        Interlocked.MemoryBarrier(); // Pairs with the fence in RecordStore.EndLease: either it sees Parked, or this sees its lease ended.
        Unpark(entry);
        return entry.Parked;
    }
}
