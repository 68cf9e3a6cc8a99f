using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Cache.Tiers.Disk.Index;

namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Moves what a segment still holds to the end of another, then deletes it. One segment at a time.</summary>
/// <remarks>
/// Copy all, sync the copies, switch the index under one lock, delete the file, sync the directory: a power failure at any moment finds each record at
/// least once. Found twice, both are the same bytes under the same sequence, and the start drops one. While a record has two slots on the medium,
/// <see cref="OtherSlots_NeedsLock"/> names the second, so that forgetting it empties both.
/// </remarks>
internal sealed class Compactor(SegmentStore store, TimeProvider time) : IDisposable
{
    private readonly RecordProbe _probe = new();
    private readonly Dictionary<DiskRecord, DiskPlace> _copies = []; // Written, not yet what the index points at; under the store's lock.
    private readonly SemaphoreSlim _turn = new(1);
    private int _hurried;
    private long _movedBytes;

    public long MovedBytes => Volatile.Read(ref _movedBytes);

    /// <summary>Told of a damaged record, which is dropped: its place and what is wrong.</summary>
    public Action<string, string>? OnDamage { get; set; }

    /// <summary>Slots on the medium that name the record beside its own.</summary>
    public IEnumerable<(DiskSegment Segment, long SlotPosition)> OtherSlots_NeedsLock(DiskRecord record)
    {
        if (_copies.TryGetValue(record, out var copy))
        {
            yield return (copy.Segment, copy.SlotPosition);
        }
        foreach (var segment in store.Segments_NeedsLock)
        {
            if (segment.LeftSlots?.TryGetValue(record, out var slotPosition) == true)
            {
                yield return (segment, slotPosition);
            }
        }
    }

    /// <param name="pace">True: at <see cref="DiskTierOptions.CompactionBytesPerSecond"/>, unless somebody comes who cannot wait.</param>
    /// <returns>False when it could not be done now; the segment is as it was.</returns>
    public async Task<bool> TryMoveAsync(DiskSegment segment, bool pace, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _hurried, pace ? 0 : 1);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await MoveAsync(segment, pace, cancellationToken);
        }
        finally
        {
            Interlocked.Add(ref _hurried, pace ? 0 : -1);
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<bool> MoveAsync(DiskSegment segment, bool pace, CancellationToken cancellationToken)
    {
        lock (store.Gate)
        {
            if (segment.IsMoving || segment.IsGone)
            {
                return false;
            }
            segment.IsMoving = true;
        }
        try
        {
            foreach (var (slot, entry) in await store.Writes.RunAsync(() => ReadSlots(segment), cancellationToken))
            {
                if (!await TryCopyAsync(segment, slot, entry, pace, cancellationToken))
                {
                    return false;
                }
            }
            DiskSegment[] targets;
            lock (store.Gate)
            {
                targets = [.. _copies.Values.Select(place => place.Segment).Distinct()];
            }
            foreach (var target in targets)
            {
                await target.SyncAsync(store.Writes);
            }
            return Switch(segment) && await store.Writes.RunAsync(() => store.TryDelete(segment), cancellationToken);
        }
        finally
        {
            await EndAsync(segment);
        }
    }

    private static List<(int Slot, byte[] Entry)> ReadSlots(DiskSegment segment)
    {
        var slots = new List<(int, byte[])>();
        SegmentReader.TryOpen(segment.File, out _)?.ReadAll((slot, _, entry) => slots.Add((slot, entry.ToArray())));
        return slots;
    }

    private async Task<bool> TryCopyAsync(DiskSegment segment, int slot, byte[] entryBytes, bool pace, CancellationToken cancellationToken)
    {
        if (FindLive(segment, slot, entryBytes) is not { } record)
        {
            return true;
        }
        var (place, _) = await store.TryTakeAsync(store.Moves, record.RecordBytes, cancellationToken);
        if (place is null)
        {
            return false;
        }
        lock (store.Gate)
        {
            _copies.Add(record, place);
        }
        var damage = await store.Writes.RunAsync(() => Copy(segment, record, entryBytes, slot, place), cancellationToken);
        if (damage is not null)
        {
            Drop(segment, entryBytes, record, damage);
        }
        Interlocked.Add(ref _movedBytes, record.RecordBytes);
        if (pace && Volatile.Read(ref _hurried) == 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(2.0 * record.RecordBytes / store.Options.CompactionBytesPerSecond), time, cancellationToken);
        }
        return true;
    }

    /// <summary>The record that the slot names, if the index still points at it.</summary>
    private DiskRecord? FindLive(DiskSegment segment, int slot, byte[] entryBytes)
    {
        if (!SegmentEntry.TryRead(entryBytes, segment.Header.Seed, slot, out var entry))
        {
            return null;
        }
        lock (store.Gate)
        {
            return store.Index.TryFind(entry.Key, entry.Layout) is { } record && ReferenceEquals(record.Segment, segment) && record.Slot == slot ? record : null;
        }
    }

    private string? Copy(DiskSegment from, DiskRecord record, byte[] entryBytes, int slot, DiskPlace place)
    {
        SegmentEntry.TryRead(entryBytes, from.Header.Seed, slot, out var entry);
        // The place of the entry, not of the record: the index may have let go of the record meanwhile.
        var damage = _probe.FindDamage(
            from.File, (long)entry.Page * DiskPages.PageBytes, (int)entry.ByteCount, entry.HeaderChecksum,
            (distance, piece) => place.Segment.File.Write(place.Position + distance, piece), out _);
        if (damage is not null)
        {
            return damage;
        }
        Span<byte> moved = stackalloc byte[SegmentIndex.EntryBytes];
        entry.WriteMoved(moved, place.Segment.Header.Seed, place.Slot, place.Page);
        place.Segment.TryWriteEntry(place, moved, () => !record.IsGone);
        return null;
    }

    private void Drop(DiskSegment segment, byte[] entryBytes, DiskRecord record, string damage)
    {
        string location;
        lock (store.Gate)
        {
            if (record.IsGone)
            {
                return; // Evicted while it was read: what was read are holes.
            }
            SegmentEntry.TryRead(entryBytes, segment.Header.Seed, record.Slot, out var entry);
            location = record.Location;
            store.Remove_NeedsLock(store.Index.TryFind(entry.Key)!, record);
        }
        OnDamage?.Invoke(location, damage);
    }

    /// <summary>From here on the copies are the records.</summary>
    private bool Switch(DiskSegment segment)
    {
        lock (store.Gate)
        {
            var left = new Dictionary<DiskRecord, long>();
            foreach (var (record, place) in _copies)
            {
                if (!record.IsGone)
                {
                    left.Add(record, segment.PositionOf_NeedsLock(record.Slot));
                    segment.LiveRecords--;
                    segment.LiveBytes -= record.ExtentBytes;
                    (record.Segment, record.Slot, record.Page) = (place.Segment, place.Slot, place.Page);
                    place.Segment.LiveRecords++;
                    place.Segment.LiveBytes += record.ExtentBytes;
                    place.Segment.OpenPlaces--;
                    _copies.Remove(record);
                }
            }
            segment.LeftSlots = left;
            // A record whose slot cannot be read any more is still served from here, until it is evicted.
            segment.IsStuck = segment.LiveRecords > 0;
            return !segment.IsStuck;
        }
    }

    /// <summary>Copies that did not become records, for whatever reason, are emptied at once: until then they could come back.</summary>
    private async Task EndAsync(DiskSegment segment)
    {
        IGrouping<DiskSegment, DiskPlace>[] copies;
        lock (store.Gate)
        {
            copies = [.. _copies.Values.GroupBy(place => place.Segment)];
            Array.ForEach(copies, ofOne => SegmentStore.Hold_NeedsLock(ofOne.Key));
            foreach (var place in _copies.Values)
            {
                place.Segment.OpenPlaces--;
                place.Segment.AddDead_NeedsLock(new DeadExtent(place.SlotPosition, place.Position, place.ExtentBytes));
            }
        }
        try
        {
            foreach (var ofOne in copies)
            {
                foreach (var place in ofOne)
                {
                    ofOne.Key.MarkWritten(place);
                }
                await store.Writes.RunAsync(() => ofOne.Key.EmptySlots([.. ofOne.Select(place => place.SlotPosition)]), CancellationToken.None);
                await ofOne.Key.SyncAsync(store.Writes);
            }
        }
        finally
        {
            lock (store.Gate)
            {
                _copies.Clear();
                segment.IsMoving = false;
            }
            Array.ForEach(copies, ofOne => store.LetGo(ofOne.Key));
        }
    }
}
