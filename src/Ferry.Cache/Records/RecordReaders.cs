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

    /// <summary>Whether a query would be served. Neither a hit nor a use.</summary>
    public bool Serves(in KvKey key, ChunkQuery query)
    {
        lock (storeLock)
        {
            return index.Chunks.Find(key) is var chunk && chunk != ChunkTable.None && index.Find(chunk, query).Count > 0;
        }
    }

    /// <summary>Holds the chunks of a chain that are there, and marks them as used, the chain's end first.</summary>
    /// <param name="stopAtGap">Whether what lies behind a gap is left alone; else another tier may fill the gap.</param>
    /// <returns>Chunks found.</returns>
    public int HoldChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, bool stopAtGap, out ChainHold hold)
    {
        hold = new ChainHold(store, keys.Length);
        Span<ulong> hashes = stackalloc ulong[Ahead];
        Span<int> chunks = keys.Length <= ChunksOnStack ? stackalloc int[keys.Length] : new int[keys.Length];
        var (found, held) = (0, 0L);
        lock (storeLock)
        {
            var end = keys.Length;
            for (var first = 0; first < end; first += Ahead)
            {
                Prefetch(keys[first..Math.Min(first + Ahead, keys.Length)], hashes);
                for (var at = first; at < Math.Min(first + Ahead, end); at++)
                {
                    chunks[at] = index.Chunks.Find(keys[at], hashes[at - first]);
                    if (chunks[at] != ChunkTable.None && index.Find(chunks[at], queryOf(at)) is { Count: > 0 } shards)
                    {
                        held += Hold(shards);
                        hold.Add(at, shards, store.Records, index.Layouts);
                        found++;
                    }
                    else if (stopAtGap)
                    {
                        end = at;
                    }
                }
            }
            room.Hold(held);
            Use(chunks[..end], hold);
            counts.Looked(found, keys.Length);
        }
        return found;
    }

    /// <summary>As <see cref="HoldChain"/>, with the leases themselves.</summary>
    /// <param name="leases">One for each key; null where the memory has nothing.</param>
    public int LeaseChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, Span<ChunkLease?> leases, bool stopAtGap)
    {
        var found = HoldChain(keys, queryOf, stopAtGap, out var hold);
        for (var at = 0; at < keys.Length; at++)
        {
            leases[at] = hold.Take(at, keys[at]);
        }
        return found;
    }

    /// <summary>Ends many leases at once.</summary>
    public void EndLeases(ReadOnlySpan<int> ended)
    {
        var bytes = 0L;
        foreach (var record in ended)
        {
            ref var slot = ref store.Records[record];
            bytes += Interlocked.Decrement(ref slot.Leases) == 0 ? store.Arena.SlotBytes(slot.RecordBytes) : 0;
        }
        Interlocked.Add(ref _leases, -ended.Length);
        room.Hold(-bytes);
        foreach (var record in ended)
        {
            UnparkIfLast(record);
            room.EndReference(record);
        }
        if (ended.Length > 0)
        {
            room.Wake();
        }
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

    public void EndLease(int record) => EndLeases([record]);

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

    /// <summary>Counts a lease for each record. Under the lock.</summary>
    /// <returns>Bytes that cannot be evicted from now on.</returns>
    private long Hold(List<int> shards)
    {
        var held = 0L;
        foreach (var record in shards)
        {
            ref var slot = ref store.Records[record];
            store.Records.AddReference(record);
            held += Interlocked.Increment(ref slot.Leases) == 1 ? store.Arena.SlotBytes(slot.RecordBytes) : 0;
            counts.HitBytes += slot.RecordBytes;
        }
        Interlocked.Add(ref _leases, shards.Count);
        return held;
    }

    private void Use(ReadOnlySpan<int> chunks, ChainHold hold)
    {
        var now = clock.Now;
        for (var at = chunks.Length - 1; at >= 0; at--)
        {
            if (at >= Ahead && hold.Has(at - Ahead))
            {
                index.Chunks.PrefetchNeighbours(chunks[at - Ahead]); // Moving a chunk in its list writes to both.
            }
            if (hold.Has(at))
            {
                index.Used(chunks[at], now);
            }
        }
    }

    /// <summary>Gives the record's chunk back to its policy if it was parked and this was its last reader. The caller holds a reference still.</summary>
    private void UnparkIfLast(int record)
    {
        ref var slot = ref store.Records[record];
        // The count went down with a full fence before Parked is read, and the index sets Parked with one before it reads the count: one of the two sees the other.
        var chunk = Volatile.Read(ref slot.Chunk);
        if (chunk == ChunkTable.None || (index.Chunks[chunk].Flags & ChunkFlags.Parked) == 0)
        {
            return;
        }
        lock (storeLock)
        {
            if (slot.Chunk != ChunkTable.None) // Our reference keeps the record ours; its chunk may have gone meanwhile.
            {
                index.Unpark(slot.Chunk);
            }
        }
    }

    private void Prefetch(ReadOnlySpan<KvKey> keys, Span<ulong> hashes)
    {
        for (var at = 0; at < keys.Length; at++)
        {
            hashes[at] = index.Chunks.Prefetch(keys[at]);
        }
        Span<int> likely = stackalloc int[Ahead];
        for (var at = 0; at < keys.Length; at++)
        {
            likely[at] = index.Chunks.PrefetchSlot(hashes[at]);
        }
        for (var at = 0; at < keys.Length; at++)
        {
            if (likely[at] != ChunkTable.None)
            {
                store.Records.Prefetch(index.Chunks[likely[at]].FirstRecord);
            }
        }
    }
}
