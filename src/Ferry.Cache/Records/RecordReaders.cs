using System.Diagnostics.CodeAnalysis;
using Ferry.Cache.Arena;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Records;

/// <summary>Gives out leases of what the index holds, and takes them back.</summary>
/// <remarks>Shares the store's lock; ending a lease takes it only when the chunk was waiting for its last reader, or the record for its last holder.</remarks>
internal sealed class RecordReaders(RecordStore store, Lock storeLock, RecordIndex index, RecordRoom room, StoreCounts counts, CoarseClock clock)
{
    private const int Ahead = CacheLines.Ahead;
    private const int StepsAhead = 3 * Ahead; // The map, the chunk, the record.
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
    public bool Serves(in KvKey key, ChunkQuery query) => BytesOf(key, query) > 0;

    /// <summary>Bytes of the records that would serve a query; 0 for none. Neither a hit nor a use.</summary>
    public long BytesOf(in KvKey key, ChunkQuery query)
    {
        lock (storeLock)
        {
            var bytes = 0L;
            if (index.Chunks.Find(key) is var chunk && chunk != ChunkTable.None)
            {
                foreach (var record in index.Find(chunk, query))
                {
                    bytes += store.Records[record].RecordBytes;
                }
            }
            return bytes;
        }
    }

    /// <summary>Holds the chunks of a chain that are there, and marks them as used, the chain's end first.</summary>
    /// <param name="stopAtGap">Whether what lies behind a gap is left alone; else another tier may fill the gap.</param>
    /// <returns>Chunks found.</returns>
    public int HoldChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, bool stopAtGap, out ChainHold hold)
    {
        hold = new ChainHold(store, keys.Length);
        Span<ulong> hashes = keys.Length <= ChunksOnStack ? stackalloc ulong[keys.Length] : new ulong[keys.Length];
        Span<int> chunks = keys.Length <= ChunksOnStack ? stackalloc int[keys.Length] : new int[keys.Length];
        var (found, heldBytes) = (0, 0L);
        lock (storeLock)
        {
            var end = keys.Length;
            for (var asked = 0; asked < end + StepsAhead; asked++)
            {
                Prefetch(keys, asked, hashes, chunks);
                var at = asked - StepsAhead;
                if (at < 0)
                {
                    continue;
                }
                chunks[at] = index.Chunks.Find(keys[at], hashes[at], likely: chunks[at]);
                if (chunks[at] != ChunkTable.None && TryHold(chunks[at], queryOf(at), at, hold, ref heldBytes))
                {
                    found++;
                    continue;
                }
                chunks[at] = ChunkTable.None;
                if (stopAtGap)
                {
                    end = at;
                }
            }
            Interlocked.Add(ref _leases, hold.Count);
            room.Hold(heldBytes);
            Use(chunks[..end]);
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

    /// <summary>Layout and length of every record of a chunk; neither a hit nor a use.</summary>
    public IReadOnlyList<(KvLayout Layout, int RecordBytes)> Describe(in KvKey key)
    {
        lock (storeLock)
        {
            var chunk = index.Chunks.Find(key);
            if (chunk == ChunkTable.None)
            {
                return [];
            }
            var found = new List<(KvLayout, int)>();
            for (var record = index.Chunks[chunk].FirstRecord; record != RecordTable.None; record = store.Records[record].Next)
            {
                ref var slot = ref store.Records[record];
                found.Add((index.Layouts.LayoutOf(slot), slot.RecordBytes));
            }
            return found;
        }
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
        if (chunk == ChunkTable.None)
        {
            return null;
        }
        if (index.FindOnly(chunk, query) is var only && only != RecordTable.None)
        {
            var lease = Lease(only);
            counts.HitBytes += lease.RecordBytes;
            return new ChunkLease(key, new[] { lease });
        }
        if (index.Find(chunk, query) is not { Count: > 0 } shards)
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

    /// <summary>The chunks of a chain were used: its end first, since what is used last goes last.</summary>
    /// <param name="chunks">With none where nothing was found.</param>
    private void Use(ReadOnlySpan<int> chunks)
    {
        var now = clock.Now;
        for (var at = chunks.Length - 1; at >= 0; at--)
        {
            if (at >= Ahead && chunks[at - Ahead] != ChunkTable.None)
            {
                index.Chunks.PrefetchNeighbours(chunks[at - Ahead]); // Moving a chunk in its list writes to both.
            }
            if (chunks[at] != ChunkTable.None)
            {
                index.Used(chunks[at], now);
            }
        }
    }

    /// <summary>Holds the records of a chunk that serve the query. Under the lock.</summary>
    /// <param name="at">The chunk's place in the chain.</param>
    /// <param name="heldBytes">Grows by what cannot be evicted from now on.</param>
    private bool TryHold(int chunk, ChunkQuery query, int at, ChainHold hold, ref long heldBytes)
    {
        var only = index.FindOnly(chunk, query);
        if (only != RecordTable.None)
        {
            hold.Begin(at);
            heldBytes += Hold(only, hold);
            return true;
        }
        var shards = index.Find(chunk, query);
        if (shards.Count == 0)
        {
            return false;
        }
        hold.Begin(at);
        foreach (var record in shards)
        {
            heldBytes += Hold(record, hold);
        }
        return true;
    }

    /// <summary>Counts a lease of the record, which <paramref name="hold"/> gives out or ends.</summary>
    /// <returns>Bytes that cannot be evicted from now on.</returns>
    private long Hold(int record, ChainHold hold)
    {
        ref var slot = ref store.Records[record];
        Interlocked.Increment(ref slot.State);
        hold.Add(record, slot.Layout == LayoutTable.OpaqueNumber ? null : index.Layouts.LayoutOf(slot));
        counts.HitBytes += slot.RecordBytes;
        return Interlocked.Increment(ref slot.Leases) == 1 ? store.Arena.SlotBytes(slot.RecordBytes) : 0;
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

    /// <summary>One step of each of three chunks, so that the waits for memory overlap with work: the first's place in the map, the second's slot, the third's record.</summary>
    /// <param name="asked">The first's place in the chain; the others stand <see cref="Ahead"/> apart before it.</param>
    /// <param name="likely">Gets the chunks that probably are the keys'.</param>
    private void Prefetch(ReadOnlySpan<KvKey> keys, int asked, Span<ulong> hashes, Span<int> likely)
    {
        if (asked < keys.Length)
        {
            hashes[asked] = index.Chunks.Prefetch(keys[asked]);
        }
        var second = asked - Ahead;
        if ((uint)second < (uint)keys.Length)
        {
            likely[second] = index.Chunks.PrefetchSlot(hashes[second]);
        }
        var third = second - Ahead;
        if ((uint)third < (uint)keys.Length && likely[third] != ChunkTable.None)
        {
            store.Records.Prefetch(index.Chunks[likely[third]].FirstRecord);
        }
    }
}
