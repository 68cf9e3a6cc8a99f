using System.Diagnostics.CodeAnalysis;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Gives out leases of what the index holds, and takes them back.</summary>
/// <remarks>Shares the store's lock; ending a lease takes it only when the chunk was waiting for its last reader, or the record for its last holder.</remarks>
internal sealed class RecordReaders(RecordStore store, Lock storeLock, RecordIndex index, RecordRoom room, StoreCounts counts, CoarseClock clock)
{
    private const int Ahead = 16; // Chunks whose memory is asked for at one time: about as many misses as a core can have under way.
    private const int ChunksOnStack = 1024;

    private int _leases;

    /// <summary>Leases not yet ended.</summary>
    public int Leases => Volatile.Read(ref _leases);

    public bool TryLease(in KvKey key, ChunkQuery query, [NotNullWhen(true)] out ChunkLease? lease)
    {
        lock (storeLock)
        {
            var chunk = index.Chunks.Find(key);
            lease = TryLease_NeedsLock(key, chunk, query);
            if (lease is not null)
            {
                index.Used(chunk, clock.Now);
            }
            counts.Looked(lease is null ? 0 : 1, 1);
        }
        return lease is not null;
    }

    /// <summary>Leases the chunks of a chain that are there, and marks them as used, the chain's end first.</summary>
    /// <param name="leases">One for each key; null where the memory has nothing.</param>
    /// <param name="stopAtGap">Whether what lies behind a gap is left alone; else another tier may fill the gap.</param>
    /// <returns>Chunks found.</returns>
    public int LeaseChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, Span<ChunkLease?> leases, bool stopAtGap)
    {
        Span<ulong> hashes = stackalloc ulong[Ahead];
        Span<int> chunks = keys.Length <= ChunksOnStack ? stackalloc int[keys.Length] : new int[keys.Length];
        var found = 0;
        lock (storeLock)
        {
            var end = keys.Length;
            for (var first = 0; first < end; first += Ahead)
            {
                Prefetch(keys[first..Math.Min(first + Ahead, keys.Length)], hashes);
                for (var at = first; at < Math.Min(first + Ahead, end); at++)
                {
                    chunks[at] = index.Chunks.Find(keys[at], hashes[at - first]);
                    leases[at] = TryLease_NeedsLock(keys[at], chunks[at], queryOf(at));
                    found += leases[at] is null ? 0 : 1;
                    end = leases[at] is null && stopAtGap ? at : end;
                }
            }
            var now = clock.Now;
            for (var at = end - 1; at >= 0; at--)
            {
                if (leases[at] is not null)
                {
                    index.Used(chunks[at], now);
                }
            }
            counts.Looked(found, keys.Length);
        }
        return found;
    }

    /// <summary>Leases every record of a chunk; neither a hit nor a use.</summary>
    public bool TryLeaseAll(in KvKey key, out List<RecordLease> leases)
    {
        leases = [];
        lock (storeLock)
        {
            var chunk = index.Chunks.Find(key);
            for (var record = chunk == ChunkTable.None ? RecordTable.None : index.Chunks[chunk].FirstRecord; record != RecordTable.None; record = store.Records[record].Next)
            {
                leases.Add(Lease(record));
            }
        }
        return leases.Count > 0;
    }

    /// <summary>The caller holds the lock and found the record in the index, or holds a lease of it: it is alive.</summary>
    /// <param name="layout">Null for an opaque one.</param>
    public RecordLease Lease(int record, KvLayout? layout)
    {
        store.Records.AddReference(record);
        if (Interlocked.Increment(ref store.Records[record].Leases) == 1)
        {
            room.Hold(record);
        }
        Interlocked.Increment(ref _leases);
        return new RecordLease(store, record, layout);
    }

    public void EndLease(int record)
    {
        Interlocked.Decrement(ref _leases);
        ref var slot = ref store.Records[record];
        if (Interlocked.Decrement(ref slot.Leases) == 0)
        {
            room.Unhold(record);
            // The count went down with a full fence before Parked is read, and the index sets Parked with one before it reads the count: one of the two sees the other.
            var chunk = Volatile.Read(ref slot.Chunk);
            if (chunk != ChunkTable.None && (index.Chunks[chunk].Flags & ChunkFlags.Parked) != 0)
            {
                lock (storeLock)
                {
                    if (slot.Chunk != ChunkTable.None) // Our reference keeps the record ours; its chunk may have gone meanwhile.
                    {
                        index.Unpark(slot.Chunk);
                    }
                }
            }
        }
        room.EndReference(record);
    }

    /// <summary>As the other; the caller holds the lock.</summary>
    public RecordLease Lease(int record)
    {
        ref var slot = ref store.Records[record];
        return Lease(record, slot.Layout == LayoutTable.OpaqueNumber ? null : index.Layouts.LayoutOf(slot));
    }

    private ChunkLease? TryLease_NeedsLock(in KvKey key, int chunk, ChunkQuery query)
    {
        if (chunk == ChunkTable.None || index.Find(chunk, query) is not { Count: > 0 } shards)
        {
            return null;
        }
        var leases = new RecordLease[shards.Count];
        for (var shard = 0; shard < leases.Length; shard++)
        {
            leases[shard] = Lease(shards[shard]);
            counts.HitBytes += leases[shard].RecordBytes;
        }
        return new ChunkLease(key, leases);
    }

    private void Prefetch(ReadOnlySpan<KvKey> keys, Span<ulong> hashes)
    {
        for (var at = 0; at < keys.Length; at++)
        {
            hashes[at] = index.Chunks.Prefetch(keys[at]);
        }
        for (var at = 0; at < keys.Length; at++)
        {
            index.Chunks.PrefetchSlot(hashes[at]);
        }
    }
}
