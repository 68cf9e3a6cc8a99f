using System.Diagnostics.CodeAnalysis;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Records;

/// <summary>The memory tier: records by key, in the arena, visible only when whole.</summary>
/// <remarks>
/// Thread-safe; nothing waits. What is leased is never evicted: it is parked when it comes up as a victim, and comes back after its last reader.
/// Removing a leased record takes it out of the index at once and frees its bytes with its last lease.
/// </remarks>
public sealed class RecordStore : IDisposable
{
    /// <summary>Shards and layouts of one chunk: 64 ranks in four layouts is more than any fleet has; without a limit a hostile peer could fill the index under one key.</summary>
    public const int MaxRecordsPerChunk = 256;

    private readonly Lock _lock = new();
    private readonly RecordIndex _index; // Under the lock.
    private readonly HashSet<(KvKey Key, KvLayout Layout)> _arriving = []; // Under the lock. No larger than the arena has room for reservations.
    private readonly KvArena _arena;
    private readonly ILogger _logger;
    private long _heldBytes;
    private long _hits;
    private long _misses;
    private long _evictions;
    private long _duplicates;
    private long _damaged;
    private long _refused;
    private int _leases;

    /// <param name="arena">Owned by the store from now on.</param>
    /// <param name="pins">Leases with an expiry; the store lets expired ones go before it refuses anybody.</param>
    public RecordStore(KvArena arena, IEvictionPolicy policy, RecordPins pins, ILogger<RecordStore> logger)
    {
        _arena = arena;
        _index = new RecordIndex(policy);
        _logger = logger;
        Pins = pins;
    }

    public RecordPins Pins { get; }

    /// <summary>For registration with a transfer agent.</summary>
    public KvArena Arena => _arena;

    /// <summary>Room for a record, evicting what the policy names if need be.</summary>
    /// <returns>Null at once when what is leased and pinned leaves no room. The caller disposes or commits it.</returns>
    public RecordReservation? TryReserve(long recordBytes)
    {
        if (recordBytes is < 1 or > int.MaxValue)
        {
            return Refuse(recordBytes);
        }
        ArenaSlot? slot;
        while ((slot = _arena.TryAllocate((int)recordBytes)) is null)
        {
            if (!TryEvict(recordBytes))
            {
                return Refuse(recordBytes);
            }
        }
        Interlocked.Add(ref _heldBytes, SlotBytes(slot));
        return new RecordReservation(this, slot);
    }

    /// <summary>Room for one record of a key, unless it is there or on its way already.</summary>
    /// <param name="mode">With <see cref="PutMode.Replace"/> neither a record that is there nor one on its way stands against it.</param>
    /// <returns>Null unless the outcome is <see cref="ReserveOutcome.Reserved"/>. The caller disposes or commits it.</returns>
    public RecordReservation? TryReserve(in KvKey key, KvLayout layout, PutMode mode, out ReserveOutcome outcome)
    {
        var recordBytes = KvRecord.HeaderBytes + layout.PayloadBytes;
        if (recordBytes > Math.Min(int.MaxValue, _arena.CapacityBytes))
        {
            outcome = ReserveOutcome.TooLarge;
            return Refuse(recordBytes);
        }
        if (mode == PutMode.KeepFirst)
        {
            lock (_lock)
            {
                outcome = _index.TryFind(key)?.Find(layout) is not null ? ReserveOutcome.Present
                    : _arriving.Add((key, layout)) ? ReserveOutcome.Reserved : ReserveOutcome.Arriving;
            }
            if (outcome != ReserveOutcome.Reserved)
            {
                return null;
            }
        }
        if (TryReserve(recordBytes) is { } reservation)
        {
            reservation.Announce(mode, mode == PutMode.KeepFirst ? (key, layout) : null);
            outcome = ReserveOutcome.Reserved;
            return reservation;
        }
        outcome = ReserveOutcome.Full;
        if (mode == PutMode.KeepFirst)
        {
            Forget((key, layout));
        }
        return null;
    }

    public bool Contains(in KvKey key)
    {
        lock (_lock)
        {
            return _index.TryFind(key) is not null;
        }
    }

    /// <summary>Whether a record with exactly this key and layout is there. Neither a hit nor a use.</summary>
    public bool Contains(in KvKey key, KvLayout layout)
    {
        lock (_lock)
        {
            return _index.TryFind(key)?.Find(layout) is not null;
        }
    }

    /// <summary>Leases the shards that serve the query.</summary>
    /// <returns>False on a miss.</returns>
    public bool TryLease(in KvKey key, ChunkQuery query, [NotNullWhen(true)] out ChunkLease? lease)
    {
        lock (_lock)
        {
            lease = TryLease_NeedsLock(key, query);
        }
        Interlocked.Increment(ref lease is null ? ref _misses : ref _hits);
        return lease is not null;
    }

    /// <summary>Leases the longest run of chunks from the first key on.</summary>
    /// <param name="keys">A chain, first chunk first.</param>
    /// <param name="queryOf">The query of the chunk at an index; the last chunk may be shorter than the others.</param>
    /// <param name="chain">Receives the leases, one a chunk; the caller disposes them.</param>
    /// <returns>Chunks found.</returns>
    public int LeaseChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, List<ChunkLease> chain)
    {
        var found = 0;
        lock (_lock)
        {
            while (found < keys.Length && TryLease_NeedsLock(keys[found], queryOf(found)) is { } lease)
            {
                chain.Add(lease);
                found++;
            }
            _index.Touch(keys[..found]);
        }
        Interlocked.Add(ref _hits, found);
        Interlocked.Add(ref _misses, keys.Length - found);
        return found;
    }

    /// <summary>Marks a chain as used, its end first: when room is needed a chain loses its tail, not the head that all its continuations share.</summary>
    public void Touch(ReadOnlySpan<KvKey> chain)
    {
        lock (_lock)
        {
            _index.Touch(chain);
        }
    }

    /// <summary>Takes every record of the chunk out of the index.</summary>
    /// <returns>Records removed.</returns>
    public int Remove(in KvKey key)
    {
        lock (_lock)
        {
            return _index.TryFind(key) is { } entry ? _index.Drop(entry) : 0;
        }
    }

    /// <summary>A reader found that the bytes do not match the checksum: the record is dropped and counted. The lease stays the caller's.</summary>
    public void DropDamaged(RecordLease lease)
    {
        var record = lease.Stored;
        lock (_lock)
        {
            if (!_index.TryDropRecord(record))
            {
                return; // Two readers saw the same damage; it counts once.
            }
            _damaged++;
        }
        CacheLog.RecordDamaged(_logger, record.Entry.Key.Hash, record.Header.Layout.FirstHead, record.Slot.Offset);
    }

    /// <summary>Takes everything out of the index.</summary>
    /// <returns>Records removed.</returns>
    public int Clear()
    {
        lock (_lock)
        {
            return _index.Clear();
        }
    }

    public RecordStoreStats Snapshot()
    {
        lock (_lock)
        {
            return new RecordStoreStats(
                _arena.CapacityBytes, _arena.UsedBytes, Volatile.Read(ref _heldBytes), _index.ChunkCount, _index.RecordCount, Volatile.Read(ref _hits),
                Volatile.Read(ref _misses), _evictions, _duplicates, _damaged, Volatile.Read(ref _refused), Volatile.Read(ref _leases));
        }
    }

    /// <summary>Checks the books of index, policy and arena against each other. For tests and diagnosis.</summary>
    /// <exception cref="InvalidOperationException">They do not balance.</exception>
    public void CheckIntegrity()
    {
        lock (_lock)
        {
            _arena.CheckIntegrity();
            _index.CheckIntegrity();
            if (_arena.SlotCount < _index.RecordCount)
            {
                throw new InvalidOperationException($"Record store: {_index.RecordCount} records but only {_arena.SlotCount} arena slots.");
            }
        }
    }

    /// <summary>Ends the pins and the index. Leases still out keep their bytes, and with them the arena's memory, until they end.</summary>
    public void Dispose()
    {
        Pins.Dispose();
        Clear();
        _arena.Dispose();
    }

    internal RecordLease Publish(KvRecordHeader header, ArenaSlot slot, PutMode mode)
    {
        Interlocked.Add(ref _heldBytes, -SlotBytes(slot));
        lock (_lock)
        {
            var entry = _index.GetOrAdd(header.Key);
            if (entry.Find(header.Layout) is { } present)
            {
                if (mode == PutMode.KeepFirst)
                {
                    _duplicates++;
                    slot.Release();
                    return Lease(present);
                }
                _index.TryDropRecord(present);
                entry = _index.GetOrAdd(header.Key);
            }
            var record = new StoredRecord(entry, header, slot);
            var lease = Lease(record);
            if (entry.Records.Count == MaxRecordsPerChunk)
            {
                slot.Release(); // Readable by its lease and gone with it: the index does not grow.
            }
            else
            {
                _index.Add(record);
            }
            return lease;
        }
    }

    internal bool IsCurrent(StoredRecord record)
    {
        lock (_lock)
        {
            return record.Entry.InIndex && record.Entry.Records.Contains(record);
        }
    }

    internal void Forget((KvKey Key, KvLayout Layout) arriving)
    {
        lock (_lock)
        {
            _arriving.Remove(arriving);
        }
    }

    internal void Abandon(ArenaSlot slot)
    {
        Interlocked.Add(ref _heldBytes, -SlotBytes(slot));
        slot.Release();
    }

    /// <summary>The caller holds the lock, or a lease of the record: its slot is alive.</summary>
    internal RecordLease Lease(StoredRecord record)
    {
        if (!record.Slot.TryAddReference())
        {
            throw new ObjectDisposedException(nameof(RecordLease), "The record's memory was given back.");
        }
        if (record.AddLease() == 1)
        {
            Interlocked.Add(ref _heldBytes, SlotBytes(record.Slot));
        }
        Interlocked.Increment(ref _leases);
        return new RecordLease(this, record);
    }

    internal void EndLease(StoredRecord record)
    {
        Interlocked.Decrement(ref _leases);
        var last = record.EndLease() == 0;
        if (last)
        {
            Interlocked.Add(ref _heldBytes, -SlotBytes(record.Slot));
        }
        record.Slot.Release();
        // The count went down with a full fence before Parked is read, and the index sets Parked with one before it reads the count: one of the two sees the other.
        if (last && record.Entry.Parked)
        {
            lock (_lock)
            {
                _index.Unpark(record.Entry);
            }
        }
    }

    private long SlotBytes(ArenaSlot slot) => (slot.ByteCount + (long)_arena.AlignmentBytes - 1) / _arena.AlignmentBytes * _arena.AlignmentBytes;

    private RecordReservation? Refuse(long recordBytes)
    {
        if (Interlocked.Increment(ref _refused) == 1)
        {
            CacheLog.NoRoom(_logger, recordBytes, _arena.CapacityBytes, Volatile.Read(ref _heldBytes));
        }
        return null;
    }

    /// <summary>Evicts one chunk. False when no eviction can make room for the record.</summary>
    private bool TryEvict(long recordBytes)
    {
        Pins.ReleaseExpired();
        lock (_lock)
        {
            if (recordBytes > _arena.CapacityBytes - Volatile.Read(ref _heldBytes))
            {
                return false; // Emptying the cache would not help: leave it.
            }
            if (!_index.TryEvict())
            {
                return false;
            }
            _evictions++;
            return true;
        }
    }

    private ChunkLease? TryLease_NeedsLock(in KvKey key, ChunkQuery query)
    {
        if (_index.Find(key, query) is not { Count: > 0 } shards)
        {
            return null;
        }
        var leases = new RecordLease[shards.Count];
        for (var index = 0; index < leases.Length; index++)
        {
            leases[index] = Lease(shards[index]);
        }
        return new ChunkLease(key, leases);
    }
}
