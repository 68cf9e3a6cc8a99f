using Ferry.Cache.Tiers.Disk.Index;

namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Makes room: evicts what the policy names, gives pages back, deletes empty segments, and moves together what is left of sparse ones.</summary>
/// <remarks>One at a time. Its extra space is at most what one sparse segment still holds; in the background its rate is bounded.</remarks>
internal sealed class Reclaimer(SegmentStore store, Compactor compactor, DiskPins pins) : IDisposable
{
    // A segment with less than a quarter in use is moved; so no cap needs more than four times the files that it would fill.
    private const int SparseShare = 4;
    private const int RoundsMax = 64; // Of evicting and moving for one wish; each frees something, or the wish fails.

    private readonly SemaphoreSlim _turn = new(1);
    private long _evictions;

    public long Evictions => Volatile.Read(ref _evictions);

    /// <summary>Frees so many bytes under the cap.</summary>
    /// <returns>False when what may be evicted is not enough.</returns>
    public async Task<bool> MakeRoomAsync(long missingBytes, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            long wanted;
            lock (store.Gate)
            {
                wanted = Math.Max(0, store.FreeBytes_NeedsLock + missingBytes); // A cap that was lowered leaves less than nothing.
            }
            for (var round = 0; round < RoundsMax; round++)
            {
                bool evicted;
                lock (store.Gate)
                {
                    if (store.FreeBytes_NeedsLock >= wanted)
                    {
                        return true;
                    }
                    evicted = Evict_NeedsLock(wanted);
                }
                var freed = await GiveBackAsync(cancellationToken);
                if (!store.CanPunch && !freed && FindDensestGain() is { } sparse)
                {
                    freed = await compactor.TryMoveAsync(sparse, pace: false, cancellationToken);
                }
                if (!evicted && !freed)
                {
                    break;
                }
            }
            lock (store.Gate)
            {
                return store.FreeBytes_NeedsLock >= wanted;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Gives back what is dead already.</summary>
    public async Task GiveBackAllAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await GiveBackAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>One round of what needs no hurry. True when there may be more to do.</summary>
    public async Task<bool> TidyAsync(CancellationToken cancellationToken)
    {
        bool freed;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            lock (store.Gate)
            {
                if (store.FreeBytes_NeedsLock < store.Options.GrowBytes)
                {
                    Evict_NeedsLock(store.Options.GrowBytes); // Ahead of the put that would have to wait for it.
                }
            }
            freed = await GiveBackAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
        // Without the turn: a put that needs room must not wait for a move that takes its time.
        return (FindSparse() is { } sparse && await compactor.TryMoveAsync(sparse, pace: true, cancellationToken)) || freed;
    }

    /// <summary>Empties the slots of records that have just left the index, and syncs that if the policy promises so: afterwards they do not come back.</summary>
    public async Task ForgetAsync(IReadOnlyCollection<DiskRecord> records, CancellationToken cancellationToken)
    {
        var slots = new Dictionary<DiskSegment, List<long>>();
        lock (store.Gate)
        {
            foreach (var record in records)
            {
                Add(record.Segment, record.Segment.PositionOf_NeedsLock(record.Slot));
                foreach (var (segment, position) in compactor.OtherSlots_NeedsLock(record))
                {
                    Add(segment, position);
                }
            }
        }
        try
        {
            foreach (var (segment, positions) in slots)
            {
                await store.Writes.RunAsync(() => segment.EmptySlots(positions), cancellationToken);
                if (store.Options.Sync != DiskSyncPolicy.None)
                {
                    await segment.SyncAsync(store.Writes);
                }
            }
        }
        finally
        {
            foreach (var segment in slots.Keys)
            {
                store.LetGo(segment);
            }
        }

        void Add(DiskSegment segment, long position)
        {
            if (segment.IsGone)
            {
                return;
            }
            if (!slots.TryGetValue(segment, out var positions))
            {
                slots.Add(segment, positions = []);
                SegmentStore.Hold_NeedsLock(segment); // Its last records may be these.
            }
            positions.Add(position);
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Takes chunks out of the index until, with what is dead already, so many bytes would be free.</summary>
    private bool Evict_NeedsLock(long wanted)
    {
        pins.ReleaseExpired_NeedsLock();
        var any = false;
        var dead = store.CanPunch ? store.Segments_NeedsLock.Where(segment => !segment.IsMoving).Sum(segment => segment.DeadBytes) : 0;
        // With holes a step of growth beyond the wish, so that the next puts need not ask; without, such a step, then a look whether a segment has become empty or sparse.
        var goal = store.CanPunch ? wanted - store.FreeBytes_NeedsLock + store.Options.GrowBytes : store.Options.GrowBytes;
        while (dead < goal && store.Index.TryGetVictim() is { } victim)
        {
            for (var record = victim.First; record is not null; record = victim.First)
            {
                store.Remove_NeedsLock(victim, record, isEvicted: true);
                dead += record.ExtentBytes;
            }
            _evictions++;
            any = true;
        }
        return any;
    }

    /// <summary>Empties the slots of what is dead, syncs, then gives its pages back, or the whole segment.</summary>
    private async Task<bool> GiveBackAsync(CancellationToken cancellationToken)
    {
        DiskSegment[] segments;
        lock (store.Gate)
        {
            segments = [.. store.Segments_NeedsLock.Where(segment => segment.Dead.Count > 0 || segment.IsRemovable)];
        }
        var freed = false;
        foreach (var segment in segments)
        {
            freed |= await store.Writes.RunAsync(() => GiveBack(segment), cancellationToken);
        }
        return freed;
    }

    private bool GiveBack(DiskSegment segment)
    {
        List<DeadExtent> dead;
        bool isEmpty;
        lock (store.Gate)
        {
            if (segment.IsGone || segment.IsMoving)
            {
                return false;
            }
            isEmpty = segment.IsMoving = segment.IsRemovable; // Nobody else looks at an empty one any more.
            if (!isEmpty)
            {
                SegmentStore.Hold_NeedsLock(segment); // A move of what it still holds may begin.
            }
            dead = isEmpty ? [] : segment.TakeDead_NeedsLock();
        }
        if (isEmpty)
        {
            return store.TryDelete(segment);
        }
        try
        {
            segment.EmptySlots(dead.Where(extent => extent.SlotPosition > 0).Select(extent => extent.SlotPosition));
            segment.Sync();
            return Punch(segment, dead);
        }
        catch
        {
            lock (store.Gate)
            {
                dead.ForEach(segment.AddDead_NeedsLock); // Again when the disk is back.
            }
            throw;
        }
        finally
        {
            store.LetGo(segment);
        }
    }

    private bool Punch(DiskSegment segment, List<DeadExtent> dead)
    {
        if (!store.CanPunch)
        {
            return false;
        }
        dead.Sort((left, right) => left.Position.CompareTo(right.Position));
        for (var index = 0; index < dead.Count;)
        {
            var (start, end) = (dead[index].Position, dead[index].Position + dead[index].ByteCount);
            for (index++; index < dead.Count && dead[index].Position == end; index++)
            {
                end += dead[index].ByteCount;
            }
            if (!segment.File.TryPunch(start, end - start))
            {
                store.CanPunch = false;
                return false;
            }
            lock (store.Gate)
            {
                segment.PunchedBytes += end - start;
            }
        }
        store.Measure(segment);
        return true;
    }

    /// <summary>The emptiest of at least two sparse segments.</summary>
    private DiskSegment? FindSparse()
    {
        lock (store.Gate)
        {
            var sparse = store.Segments_NeedsLock
                .Where(segment => segment.IsFinished && !segment.IsMoving && !segment.IsStuck && segment.LiveRecords > 0 && segment.OpenPlaces == 0
                    && segment.LiveBytes < store.Options.SegmentBytesOrDefault / SparseShare)
                .OrderBy(segment => segment.LiveBytes).Take(2).ToArray();
            return sparse.Length == 2 && HasRoomFor_NeedsLock(sparse[0]) ? sparse[0] : null;
        }
    }

    /// <summary>Without holes: the sealed segment whose removal gains most, if it gains at least as much as is moved.</summary>
    private DiskSegment? FindDensestGain()
    {
        lock (store.Gate)
        {
            var best = store.Segments_NeedsLock
                .Where(segment => segment.IsSealed && !segment.IsMoving && !segment.IsStuck && segment.OpenPlaces == 0 && segment.LiveBytes <= segment.ChargedBytes / 2)
                .MaxBy(segment => segment.ChargedBytes - segment.LiveBytes);
            return best is not null && HasRoomFor_NeedsLock(best) ? best : null;
        }
    }

    private bool HasRoomFor_NeedsLock(DiskSegment segment) => store.FreeBytes_NeedsLock >= segment.LiveBytes + store.Options.GrowBytes;
}
