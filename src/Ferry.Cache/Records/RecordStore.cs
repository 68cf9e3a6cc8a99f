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
/// Thread-safe; nothing waits but <see cref="ReserveAsync"/>. What is leased is never evicted: it is parked when it comes up as a victim, and comes back
/// after its last reader. Removing a leased record takes it out of the index at once and frees its bytes with its last lease. Headers lie in the
/// arena; the index knows a record by some 170 bytes (docs/measurements/cache-lookup.md).
/// </remarks>
public sealed class RecordStore : IDisposable
{
    /// <summary>Shards and layouts of one chunk: 64 ranks in four layouts is more than any fleet has; without a limit a hostile peer could fill the index under one key.</summary>
    public const int MaxRecordsPerChunk = 256;

    private readonly Lock _lock = new();
    private readonly RecordIndex _index; // Under the lock, as the counts.
    private readonly StoreCounts _counts = new();
    private readonly RecordRoom _room;
    private readonly RoomSignal _signal;
    private readonly CoarseClock _clock;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <param name="arena">Owned by the store from now on.</param>
    /// <param name="policy">Decides what goes when room is needed.</param>
    /// <param name="pins">Leases with an expiry; the store lets expired ones go before it refuses anybody.</param>
    public RecordStore(KvArena arena, EvictionPolicyKind policy, RecordPins pins, ILogger<RecordStore> logger, RecordStoreOptions? options = null)
    {
        options ??= new RecordStoreOptions();
        (Arena, Pins, Policy, _logger, _time) = (arena, pins, policy, logger, pins.Time);
        _clock = new CoarseClock(_time);
        _signal = new RoomSignal(options.WaitersMax);
        var salts = new SaltTable();
        _room = new RecordRoom(_lock, arena, Records, salts, _signal, () => ReleaseExpired(), logger);
        _index = new RecordIndex(Records, salts, policy, arena.AlignmentBytes, _clock, _room.EndReference);
        _room.Index = _index;
        Readers = new RecordReaders(this, _lock, _index, _room, _counts, _clock);
        KeyPins = new KeyPins(_lock, _index, this, options.PinsMax);
        Quotas = new SaltQuotas(_lock, _index, salts, options.QuotasMax, arena.CapacityBytes);
    }

    /// <summary>Pins by lease, as hand-overs hold them.</summary>
    public RecordPins Pins { get; }

    /// <summary>Pins by key, as people ask for them.</summary>
    public KeyPins KeyPins { get; }

    public SaltQuotas Quotas { get; }

    /// <summary>For registration with a transfer agent.</summary>
    public KvArena Arena { get; }

    public EvictionPolicyKind Policy { get; }

    /// <summary>Tells <paramref name="observer"/> of what comes and goes from now on.</summary>
    public void Observe(IRecordObserver observer)
    {
        lock (_lock)
        {
            _index.Observers = [.. _index.Observers, observer];
        }
    }

    internal RecordTable Records { get; } = new();

    internal RecordReaders Readers { get; }

    /// <summary>Room for a record, or for bytes that are no record, evicting what the policy names if need be.</summary>
    /// <returns>Null at once when what is leased and pinned leaves no room. The caller disposes or commits it.</returns>
    public RecordReservation? TryReserve(long recordBytes) => Reserve(recordBytes, null, null, PutMode.KeepFirst, out _);

    /// <summary>Room for one record of a key, unless it is there or on its way already; counted at once against the quota of the key's salt.</summary>
    /// <param name="mode">With <see cref="PutMode.Replace"/> neither a record that is there nor one on its way stands against it.</param>
    /// <returns>Null unless the outcome is <see cref="ReserveOutcome.Reserved"/>. The caller disposes or commits it.</returns>
    public RecordReservation? TryReserve(in KvKey key, KvLayout layout, PutMode mode, out ReserveOutcome outcome) =>
        Reserve(KvRecord.HeaderBytes + layout.PayloadBytes, key, layout, mode, out outcome);

    /// <summary>As <see cref="TryReserve(in KvKey, KvLayout, PutMode, out ReserveOutcome)"/>, but where leases and pins are in the way it waits for some to end, no longer than <paramref name="wait"/>.</summary>
    /// <remarks>What waiting cannot change is answered at once: a record that is there or too large, and more waiters than <see cref="RecordStoreOptions.WaitersMax"/>.</remarks>
    public async ValueTask<(RecordReservation? Reservation, ReserveOutcome Outcome)> ReserveAsync(
        KvKey key, KvLayout layout, PutMode mode, TimeSpan wait, CancellationToken cancellationToken)
    {
        var reservation = TryReserve(key, layout, mode, out var outcome);
        if (outcome is not (ReserveOutcome.Full or ReserveOutcome.OverQuota) || wait <= TimeSpan.Zero || !_signal.TryJoin())
        {
            return (reservation, outcome);
        }
        try
        {
            var begun = _time.GetTimestamp();
            while (true)
            {
                var next = _signal.Next; // Before looking, so that what ends in between is not missed.
                reservation = TryReserve(key, layout, mode, out outcome);
                var left = wait - _time.GetElapsedTime(begun);
                if (outcome is not (ReserveOutcome.Full or ReserveOutcome.OverQuota) || left <= TimeSpan.Zero)
                {
                    return (reservation, outcome);
                }
                await next.WaitAsync(left, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            _signal.Leave();
        }
    }

    public bool Contains(in KvKey key)
    {
        lock (_lock)
        {
            return _index.Chunks.Find(key) != ChunkTable.None;
        }
    }

    /// <summary>Whether a record with exactly this key and layout is there. Neither a hit nor a use.</summary>
    public bool Contains(in KvKey key, KvLayout layout)
    {
        lock (_lock)
        {
            return _index.FindRecord(_index.Chunks.Find(key), layout) != RecordTable.None;
        }
    }

    /// <summary>Leases the shards that serve the query.</summary>
    /// <returns>False on a miss.</returns>
    public bool TryLease(in KvKey key, ChunkQuery query, [NotNullWhen(true)] out ChunkLease? lease) => Readers.TryLease(key, query, out lease);

    /// <summary>Leases exactly one record, counted neither as a hit nor as a use: for whoever copies records elsewhere.</summary>
    public RecordLease? TryLease(in KvKey key, KvLayout layout)
    {
        lock (_lock)
        {
            return _index.FindRecord(_index.Chunks.Find(key), layout) is var record && record != RecordTable.None ? Readers.Lease(record) : null;
        }
    }

    /// <summary>Leases the longest run of chunks from the first key on, and marks it as used, its end first: when room is needed a chain loses its tail, not the head that all its continuations share.</summary>
    /// <param name="keys">A chain, first chunk first.</param>
    /// <param name="queryOf">The query of the chunk at an index; the last chunk may be shorter than the others.</param>
    /// <param name="chain">Receives the leases, one a chunk; the caller disposes them.</param>
    /// <returns>Chunks found.</returns>
    public int LeaseChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, List<ChunkLease> chain)
    {
        var leases = new ChunkLease?[keys.Length];
        var found = Readers.LeaseChain(keys, queryOf, leases, stopAtGap: true);
        foreach (var lease in leases.AsSpan(0, found))
        {
            chain.Add(lease!);
        }
        return found;
    }

    /// <summary>As <see cref="LeaseChain(ReadOnlySpan{KvKey}, Func{int, ChunkQuery}, List{ChunkLease})"/>, but goes on behind a gap, which somebody else may fill.</summary>
    /// <param name="leases">One for each key; null where the memory has nothing. The caller disposes them.</param>
    /// <returns>Chunks found.</returns>
    public int LeaseChain(ReadOnlySpan<KvKey> keys, Func<int, ChunkQuery> queryOf, Span<ChunkLease?> leases) =>
        Readers.LeaseChain(keys, queryOf, leases, stopAtGap: false);

    /// <summary>Puts a chain in the order of use, its end first, without counting a use: what was put chunk by chunk has its head as the oldest, which all its continuations share.</summary>
    public void Touch(ReadOnlySpan<KvKey> chain)
    {
        lock (_lock)
        {
            for (var index = chain.Length - 1; index >= 0; index--)
            {
                if (_index.Chunks.Find(chain[index]) is var chunk && chunk != ChunkTable.None)
                {
                    _index.Touch(chunk, isUse: false);
                }
            }
        }
    }

    /// <summary>Takes every record of the chunk out of the index.</summary>
    /// <returns>Records removed.</returns>
    public int Remove(in KvKey key)
    {
        lock (_lock)
        {
            return _index.Chunks.Find(key) is var chunk && chunk != ChunkTable.None ? _index.Drop(chunk, EvictionReason.Removed) : 0;
        }
    }

    /// <summary>Takes the record of exactly this layout out of the index, and leaves the others of its chunk.</summary>
    /// <returns>False when it was not there.</returns>
    public bool Remove(in KvKey key, KvLayout layout)
    {
        lock (_lock)
        {
            var record = _index.FindRecord(_index.Chunks.Find(key), layout);
            if (record != RecordTable.None)
            {
                _index.DropRecord(record, EvictionReason.Removed);
            }
            return record != RecordTable.None;
        }
    }

    /// <summary>A reader found that the bytes do not match the checksum: the record is dropped and counted. The lease stays the caller's.</summary>
    public void DropDamaged(RecordLease lease)
    {
        KvKey key;
        lock (_lock)
        {
            if (!lease.IsCurrent)
            {
                return; // Two readers saw the same damage; it counts once.
            }
            key = _index.Chunks.KeyOf(Records[lease.Number].Chunk);
            _index.DropRecord(lease.Number, EvictionReason.Damaged);
            _counts.Damaged++;
        }
        CacheLog.RecordDamaged(_logger, key.Hash, lease.Layout.FirstHead, lease.ArenaOffset);
    }

    /// <summary>Takes everything out of the index.</summary>
    /// <returns>Records removed.</returns>
    public int Clear() => Clear(null);

    /// <summary>Takes everything of a salt out of the index.</summary>
    /// <param name="salt">Null for all.</param>
    /// <param name="keepPinned">Whether what is pinned hard by its key stays.</param>
    /// <returns>Records removed.</returns>
    public int Clear(string? salt, bool keepPinned = false)
    {
        lock (_lock)
        {
            return _index.Clear(salt, chunk => keepPinned && KeyPins.KindOf(_index.Chunks.KeyOf(chunk)) == PinKind.Hard);
        }
    }

    /// <summary>Ends pins whose time has come. Called when room is needed, and by whoever wants the bytes back sooner.</summary>
    /// <returns>Pins ended.</returns>
    public int ReleaseExpired() => Pins.ReleaseExpired() + KeyPins.ReleaseExpired();

    /// <summary>Walks all records in pieces. What is there from the first call to the last is named at least once; the rest may be.</summary>
    /// <param name="cursor">0 at first, then what the last call left; 0 again after the last piece.</param>
    /// <param name="chunksMax">Chunks looked at in one call, all records of each.</param>
    public IReadOnlyList<RecordSummary> Walk(ref ulong cursor, int chunksMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunksMax, 1);
        var found = new List<RecordSummary>();
        lock (_lock)
        {
            var chunk = (int)Math.Min(cursor, (ulong)_index.Chunks.NumberCount);
            var end = (int)Math.Min((long)chunk + chunksMax, _index.Chunks.NumberCount);
            for (; chunk < end; chunk++)
            {
                if (_index.Chunks.IsInUse(chunk))
                {
                    Summarize_NeedsLock(chunk, found);
                }
            }
            cursor = end == _index.Chunks.NumberCount ? 0 : (ulong)end;
        }
        return found;
    }

    public RecordStoreStats Snapshot()
    {
        lock (_lock)
        {
            return _counts.ToStats(_index, Arena, _room, Readers.Leases, KeyPins.Count);
        }
    }

    /// <summary>Checks the books of index, policy and arena against each other. For tests and diagnosis.</summary>
    /// <exception cref="InvalidOperationException">They do not balance.</exception>
    public void CheckIntegrity()
    {
        lock (_lock)
        {
            Arena.CheckIntegrity();
            _index.CheckIntegrity();
            if (Arena.SlotCount != Records.HeldCount || Records.HeldCount < _index.RecordCount)
            {
                throw new InvalidOperationException($"Record store: {_index.RecordCount} records, {Records.HeldCount} held, but {Arena.SlotCount} arena slots.");
            }
        }
    }

    /// <summary>Ends the pins and the index. Leases still out keep their bytes, and with them the arena's memory, until they end.</summary>
    public void Dispose()
    {
        Pins.Dispose();
        Clear();
        Arena.Dispose();
    }

    internal RecordLease Publish(KvRecordHeader header, int record, PutMode mode, (KvKey Key, KvLayout Layout)? arriving)
    {
        var key = header.Key;
        _room.Unhold(record);
        lock (_lock)
        {
            _room.Arrived_NeedsLock(arriving);
            var present = _index.FindRecord(_index.Chunks.Find(key), header.Layout);
            if (present != RecordTable.None && mode == PutMode.KeepFirst)
            {
                _counts.Duplicates++;
                _room.EndReference(record);
                return Readers.Lease(present);
            }
            if (present != RecordTable.None)
            {
                _index.DropRecord(present, EvictionReason.Replaced);
            }
            var lease = Readers.Lease(record, header.Layout.IsOpaque ? null : header.Layout);
            // Evicts within the salt's quota if need be, so the chunk is looked for afterwards.
            if (_room.TryCharge_NeedsLock(record, key.Salt) && HasPlace(_index.Chunks.Find(key)))
            {
                _counts.Stored++;
                _counts.StoredBytes += lease.RecordBytes;
                _index.Add(record, key, header.Layout, !header.ClientKey.IsEmpty);
            }
            else
            {
                _room.EndReference(record); // Readable by its lease and gone with it: neither the index nor the salt grows.
            }
            return lease;
        }
    }

    internal void Abandon(int record, (KvKey Key, KvLayout Layout)? arriving) => _room.Abandon(record, arriving);

    internal void EndReference(int record) => _room.EndReference(record);

    internal RecordMemory MemoryOf(int record)
    {
        ref var slot = ref Records[record];
        return new RecordMemory(this, record, Records.GenerationOf(record), (long)slot.FirstUnit * Arena.AlignmentBytes, slot.RecordBytes);
    }

    private bool HasPlace(int chunk) => chunk == ChunkTable.None || _index.Chunks[chunk].RecordCount < MaxRecordsPerChunk;

    private RecordReservation? Reserve(long recordBytes, KvKey? key, KvLayout? layout, PutMode mode, out ReserveOutcome outcome)
    {
        var record = _room.TryTake(recordBytes, key, layout, mode, out outcome);
        return record == RecordTable.None
            ? null
            : new RecordReservation(this, record, mode, key is not null && mode == PutMode.KeepFirst ? (key.Value, layout!) : null);
    }

    private void Summarize_NeedsLock(int chunk, List<RecordSummary> found)
    {
        var now = _clock.Now;
        ref var entry = ref _index.Chunks[chunk];
        var pin = KeyPins.KindOf(_index.Chunks.KeyOf(chunk));
        for (var record = entry.FirstRecord; record != RecordTable.None; record = Records[record].Next)
        {
            ref var slot = ref Records[record];
            var bytes = Arena.SpanOf((long)slot.FirstUnit * Arena.AlignmentBytes, slot.RecordBytes);
            found.Add(new RecordSummary(
                KvRecord.ReadTrusted(bytes, _index.Layouts.LayoutOf(slot)), Arena.SlotBytes(slot.RecordBytes), Volatile.Read(ref slot.Leases), pin,
                CoarseClock.Between(entry.BornAt, now), CoarseClock.Between(entry.UsedAt, now)));
        }
    }
}
