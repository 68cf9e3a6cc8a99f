using Ferry.Cache.Arena;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Records;

/// <summary>The bytes of a store: who gets room, what goes for it, what each salt has, and what cannot go.</summary>
/// <remarks>Shares the store's lock. Lock order: the store's, then the arena's; the pins' never under either.</remarks>
internal sealed class RecordRoom(
    Lock storeLock, KvArena arena, RecordTable records, SaltTable salts, RoomSignal signal, Action releaseExpired, ILogger logger)
{
    /// <summary>Up to here a record's lines are asked for before its bytes are here: the next locked operation waits for every store to have its line. Longer ones leave the processor's first cache before they are filled.</summary>
    private const int AheadBytesMax = 8 << 10;

    private readonly HashSet<(KvKey Key, KvLayout Layout)> _arriving = []; // Under the lock. No larger than the arena has room for reservations.
    private long _heldBytes;
    private long _refused;
    private long _overQuota;

    /// <summary>Set by the store, once.</summary>
    public RecordIndex Index { get; set; } = null!;

    /// <summary>Bytes that cannot be evicted now: leased, pinned, or being filled.</summary>
    public long HeldBytes => Volatile.Read(ref _heldBytes);

    public long Refused => Volatile.Read(ref _refused);

    public long OverQuota => Volatile.Read(ref _overQuota);

    /// <summary>Room for a record, evicting what must go for it.</summary>
    /// <param name="key">Null for bytes that have no key yet: they count for no salt.</param>
    /// <returns>The record, with one reference that the caller owns; or none, with the reason.</returns>
    public int TryTake(long recordBytes, KvKey? key, KvLayout? layout, PutMode mode, out ReserveOutcome outcome)
    {
        if (recordBytes < 1 || recordBytes > Math.Min(int.MaxValue, arena.CapacityBytes))
        {
            outcome = ReserveOutcome.TooLarge;
            return Refuse(recordBytes);
        }
        // Evicting comes second: first whoever has outstayed his time goes.
        for (var mayEvict = false; ; mayEvict = true)
        {
            lock (storeLock)
            {
                var record = TryTake_NeedsLock(recordBytes, key, layout, mode, mayEvict, out outcome);
                if (record != RecordTable.None || outcome is ReserveOutcome.Present or ReserveOutcome.Arriving)
                {
                    return record;
                }
            }
            if (mayEvict)
            {
                Interlocked.Add(ref _overQuota, outcome == ReserveOutcome.OverQuota ? 1 : 0);
                return outcome == ReserveOutcome.OverQuota ? RecordTable.None : Refuse(recordBytes);
            }
            releaseExpired();
        }
    }

    /// <summary>Gives a reservation's room back.</summary>
    public void Abandon(int record, (KvKey Key, KvLayout Layout)? arriving)
    {
        Unhold(record);
        lock (storeLock)
        {
            Arrived_NeedsLock(arriving);
            EndReference(record);
        }
    }

    /// <summary>What was on its way is there, or will not come.</summary>
    public void Arrived_NeedsLock((KvKey Key, KvLayout Layout)? arriving)
    {
        if (arriving is { } name)
        {
            _arriving.Remove(name);
        }
    }

    /// <summary>Counts a record that was reserved without a key for its salt. Under the lock.</summary>
    /// <returns>False when the salt's quota has no room for it, also after evicting what the salt has.</returns>
    public bool TryCharge_NeedsLock(int record, string saltName)
    {
        ref var slot = ref records[record];
        if (slot.Salt != SaltTable.None)
        {
            return true;
        }
        var bytes = arena.SlotBytes(slot.RecordBytes);
        var salt = salts.Take(saltName);
        if (!HasQuotaFor(salt, bytes, mayEvict: true))
        {
            salts.Leave(salt);
            Interlocked.Increment(ref _overQuota);
            return false;
        }
        salts.Charge(SaltTable.None, -bytes);
        salts.Charge(salt, bytes);
        slot.Salt = salt;
        return true;
    }

    public void Hold(int record) => Hold(arena.SlotBytes(records[record].RecordBytes));

    public void Hold(long bytes) => Interlocked.Add(ref _heldBytes, bytes);

    /// <summary>Room may have come: bytes are no longer held.</summary>
    public void Wake() => signal.Wake();

    /// <summary>The caller still holds a reference.</summary>
    public void Unhold(int record)
    {
        Interlocked.Add(ref _heldBytes, -arena.SlotBytes(records[record].RecordBytes));
        signal.Wake();
    }

    /// <summary>Ends one reference; the last gives the bytes back.</summary>
    public void EndReference(int record)
    {
        if (!records.EndReference(record))
        {
            return;
        }
        lock (storeLock)
        {
            ref var slot = ref records[record];
            arena.Free(slot.Extent);
            salts.Charge(slot.Salt, -arena.SlotBytes(slot.RecordBytes));
            if (slot.Salt != SaltTable.None)
            {
                salts.Leave(slot.Salt);
            }
            records.Recycle(record);
        }
        signal.Wake();
    }

    private int TryTake_NeedsLock(long recordBytes, KvKey? key, KvLayout? layout, PutMode mode, bool mayEvict, out ReserveOutcome outcome)
    {
        var isNamed = key is not null && layout is not null && mode == PutMode.KeepFirst;
        if (isNamed && FindBefore(key!.Value, layout!) is { } before)
        {
            outcome = before;
            return RecordTable.None;
        }
        var replaced = key is not null && mode == PutMode.Replace ? Index.Chunks.Prefetch(key.Value) : 0; // Asked for now, it is there when the record is published.
        var bytes = arena.SlotBytes(recordBytes);
        var salt = key is null ? SaltTable.None : salts.Take(key.Value.Salt);
        var record = RecordTable.None;
        outcome = !HasQuotaFor(salt, bytes, mayEvict) ? ReserveOutcome.OverQuota
            : TryAllocate((int)recordBytes, mayEvict, out record) ? ReserveOutcome.Reserved : ReserveOutcome.Full;
        if (outcome != ReserveOutcome.Reserved)
        {
            if (salt != SaltTable.None)
            {
                salts.Leave(salt);
            }
            return RecordTable.None;
        }
        records[record].Salt = salt;
        salts.Charge(salt, bytes);
        Hold(record);
        if (isNamed)
        {
            _arriving.Add((key!.Value, layout!));
        }
        Index.Chunks.PrefetchSlot(replaced);
        return record;
    }

    private ReserveOutcome? FindBefore(KvKey key, KvLayout layout) =>
        Index.FindRecord(Index.Chunks.Find(key), layout) != RecordTable.None ? ReserveOutcome.Present
            : _arriving.Contains((key, layout)) ? ReserveOutcome.Arriving : null;

    private bool HasQuotaFor(int salt, long bytes, bool mayEvict)
    {
        if (salts.QuotaOf(salt) is not { } quota)
        {
            return true;
        }
        while (salts.BytesOf(salt) + bytes > quota)
        {
            if (bytes > quota || !mayEvict || !Index.TryEvict(salt, arena.CapacityBytes))
            {
                return false;
            }
        }
        return true;
    }

    private bool TryAllocate(int recordBytes, bool mayEvict, out int record)
    {
        ExtentHandle extent;
        long offset;
        while (!arena.TryAllocate(recordBytes, out extent, out offset))
        {
            // Where emptying the cache would not help it is left as it is.
            if (!mayEvict || recordBytes > arena.CapacityBytes - HeldBytes || !Index.TryEvict(SaltTable.None, arena.CapacityBytes))
            {
                record = RecordTable.None;
                return false;
            }
        }
        if (recordBytes <= AheadBytesMax)
        {
            CacheLines.Prefetch(arena.SpanOf(offset, recordBytes));
        }
        record = records.Add(extent, (int)(offset / arena.AlignmentBytes), recordBytes);
        return true;
    }

    private int Refuse(long recordBytes)
    {
        if (Interlocked.Increment(ref _refused) == 1)
        {
            CacheLog.NoRoom(logger, recordBytes, arena.CapacityBytes, HeldBytes);
        }
        return RecordTable.None;
    }
}
