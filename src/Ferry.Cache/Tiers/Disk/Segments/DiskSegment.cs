using System.Collections.Concurrent;
using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Cache.Tiers.Disk.Index;

namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>One segment file: records one after the other, never in the same place twice, and between them the blocks of the index that names them.</summary>
/// <remarks>Members whose name ends in NeedsLock, and all properties that can be set, are for holders of the store's lock.</remarks>
internal sealed class DiskSegment
{
    private readonly Lock _gate;
    private readonly Lock _indexWrites = new();
    private readonly ConcurrentQueue<(IndexBlock Block, IndexBlock Next)> _unlinked = [];
    private readonly List<IndexBlock> _blocks = [];
    private readonly SortedSet<int> _unwritten = [];
    private readonly Lock _syncLock = new();
    private TaskCompletionSource? _nextSync;
    private bool _isSyncing;
    private int _nextSlot;
    private int _checkpointed;
    private int _checkpointPlace;

    /// <param name="gate">The store's lock.</param>
    public DiskSegment(SegmentHeader header, string name, IDiskFile file, Lock gate)
    {
        (Header, Name, File, _gate) = (header, name, file, gate);
        _blocks.Add(FirstBlock);
        CursorBytes = FirstBlock.Position + FirstBlock.BlockBytes;
    }

    public static IndexBlock FirstBlock { get; } = new(0, (long)SegmentIndex.FirstBlockPage * DiskPages.PageBytes, SegmentIndex.FirstBlockBytes);

    public SegmentHeader Header { get; }

    public string Name { get; }

    public IDiskFile File { get; }

    /// <summary>Where the next record goes.</summary>
    public long CursorBytes { get; set; }

    public long LengthBytes { get; set; }

    /// <summary>Given back by holes.</summary>
    public long PunchedBytes { get; set; }

    /// <summary>What counts against the cap.</summary>
    public long ChargedBytes { get; set; }

    /// <summary>Extents of the records in the index.</summary>
    public long LiveBytes { get; set; }

    public int LiveRecords { get; set; }

    /// <summary>Places taken and not yet published or given up.</summary>
    public int OpenPlaces { get; set; }

    /// <summary>Who uses the file without the store's lock: see <see cref="SegmentStore.Hold_NeedsLock"/>.</summary>
    public int Holders { get; set; }

    /// <summary>Nothing is appended any more.</summary>
    public bool IsSealed { get; set; }

    /// <summary>Sealed, cut to its length and wholly on the medium.</summary>
    public bool IsFinished { get; set; }

    /// <summary>A write or a sync failed: what the medium has is unknown, so no checkpoint is written any more.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Being compacted.</summary>
    public bool IsMoving { get; set; }

    /// <summary>Compaction cannot empty it.</summary>
    public bool IsStuck { get; set; }

    /// <summary>After a move, until the file is deleted: the slots in it that records have left.</summary>
    public Dictionary<DiskRecord, long>? LeftSlots { get; set; }

    /// <summary>Deleted; the file is closed with its last holder.</summary>
    public bool IsGone { get; set; }

    /// <summary>Something was written since the last sync began.</summary>
    public bool IsDirty { get; set; }

    public List<DeadExtent> Dead { get; private set; } = [];

    public long DeadBytes { get; private set; }

    public bool IsRemovable => IsSealed && LiveRecords == 0 && OpenPlaces == 0 && !IsMoving && !IsGone;

    /// <summary>Where the file must end for one more record.</summary>
    public long EndWith_NeedsLock(long recordBytes) => CursorBytes + (IsLink(_nextSlot) ? NextBlockBytes : 0) + DiskPages.RoundUp(recordBytes);

    /// <summary>Takes room that the file has.</summary>
    public DiskPlace Take_NeedsLock(long recordBytes)
    {
        if (IsLink(_nextSlot))
        {
            var next = new IndexBlock(_nextSlot + 1, CursorBytes, NextBlockBytes);
            _unlinked.Enqueue((_blocks[^1], next));
            _blocks.Add(next);
            CursorBytes += next.BlockBytes;
            _nextSlot++;
        }
        var place = new DiskPlace(this, _nextSlot, PositionOf_NeedsLock(_nextSlot), CursorBytes, DiskPages.RoundUp(recordBytes));
        CursorBytes += place.ExtentBytes;
        _unwritten.Add(_nextSlot++);
        OpenPlaces++;
        return place;
    }

    public long PositionOf_NeedsLock(int slot)
    {
        var (low, high) = (0, _blocks.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _blocks[middle].FirstSlot <= slot ? (middle, high) : (low, middle - 1);
        }
        return _blocks[low].Position + ((long)(slot - _blocks[low].FirstSlot) * SegmentIndex.EntryBytes);
    }

    public void AddDead_NeedsLock(DeadExtent extent)
    {
        Dead.Add(extent);
        DeadBytes += extent.ByteCount;
    }

    public List<DeadExtent> TakeDead_NeedsLock()
    {
        var dead = Dead;
        (Dead, DeadBytes) = ([], 0);
        return dead;
    }

    /// <summary>A block that a reader of the file has found, in order; the first is known.</summary>
    public void Restore_NeedsLock(IndexBlock block)
    {
        if (block.FirstSlot > 0)
        {
            _blocks.Add(block);
        }
        _nextSlot = block.FirstSlot + SegmentIndex.SlotsOf(block.BlockBytes);
    }

    /// <summary>All blocks are known; nothing is appended to a segment of an earlier run.</summary>
    public void Restored_NeedsLock(int checkpointed)
    {
        _checkpointed = checkpointed;
        IsSealed = true;
    }

    /// <summary>Makes a record findable after a restart; its bytes must have been written.</summary>
    public void WriteEntry(DiskPlace place, ReadOnlySpan<byte> entry) => TryWriteEntry(place, entry, null);

    /// <param name="isWanted">Asked under the store's lock; false: nothing is written. Whoever turns it to false empties the slot afterwards, and comes after this.</param>
    public void TryWriteEntry(DiskPlace place, ReadOnlySpan<byte> entry, Func<bool>? isWanted)
    {
        lock (_indexWrites)
        {
            while (_unlinked.TryPeek(out var link)) // Before any slot behind it, so that a sync that covers the slot covers the way to it.
            {
                WriteLink(link.Block, link.Next);
                _unlinked.TryDequeue(out _);
            }
            bool wanted;
            lock (_gate)
            {
                wanted = isWanted?.Invoke() ?? true;
            }
            if (wanted)
            {
                File.WriteSmall(place.SlotPosition, entry);
            }
        }
        MarkWritten(place);
    }

    /// <summary>The place's slot holds back no checkpoint any more: it was written, or never will be.</summary>
    public void MarkWritten(DiskPlace place)
    {
        lock (_gate)
        {
            _unwritten.Remove(place.Slot);
            IsDirty = true;
        }
    }

    /// <summary>Empties slots, so that their records do not come back after a restart.</summary>
    public void EmptySlots(IEnumerable<long> positions)
    {
        lock (_gate)
        {
            IsDirty = true;
        }
        Span<byte> zeros = stackalloc byte[SegmentIndex.EntryBytes];
        zeros.Clear();
        lock (_indexWrites)
        {
            foreach (var position in positions)
            {
                File.WriteSmall(position, zeros);
            }
        }
    }

    /// <summary>Ends when a sync that began after this call has ended. Calls at the same time share one.</summary>
    public Task SyncAsync(DiskIo io)
    {
        lock (_syncLock)
        {
            _nextSync ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var joined = _nextSync.Task;
            if (!_isSyncing)
            {
                _isSyncing = true;
                _ = SyncAllAsync(io); // Ends with the last caller, who awaits what it completes.
            }
            return joined;
        }
    }

    /// <summary>Syncs on this thread, then writes down what that proved.</summary>
    public void Sync()
    {
        int written;
        lock (_gate)
        {
            written = _unwritten.Count == 0 ? _nextSlot : _unwritten.Min;
            IsDirty = false;
        }
        try
        {
            File.Sync();
        }
        catch
        {
            lock (_gate)
            {
                // The kernel may have dropped what it could not write, and would call the next sync a success.
                IsBroken = IsDirty = true;
            }
            throw;
        }
        WriteCheckpoint(written);
    }

    private void WriteCheckpoint(int written)
    {
        int place;
        lock (_gate)
        {
            if (IsBroken || written <= _checkpointed)
            {
                return;
            }
            _checkpointed = written;
            place = _checkpointPlace;
            _checkpointPlace = (place + 1) % SegmentCheckpoint.Places;
        }
        Span<byte> bytes = stackalloc byte[SegmentCheckpoint.CheckpointBytes];
        SegmentCheckpoint.Write(Header.Seed, written, bytes);
        File.WriteSmall(SegmentCheckpoint.PositionOf(place), bytes);
    }

    private async Task SyncAllAsync(DiskIo io)
    {
        while (true)
        {
            TaskCompletionSource current;
            lock (_syncLock)
            {
                if (_nextSync is null)
                {
                    _isSyncing = false;
                    return;
                }
                (current, _nextSync) = (_nextSync, null);
            }
            try
            {
                await io.RunAsync(Sync, CancellationToken.None);
                current.SetResult();
            }
            catch (Exception error) // The edge of the loop: every caller sees it.
            {
                current.SetException(error);
            }
        }
    }

    private void WriteLink(IndexBlock block, IndexBlock next)
    {
        var slot = next.FirstSlot - 1;
        Span<byte> entry = stackalloc byte[SegmentIndex.EntryBytes];
        SegmentEntry.WriteBlock(entry, Header.Seed, slot, (uint)(next.Position / DiskPages.PageBytes), next.BlockBytes);
        File.WriteSmall(block.Position + ((long)(slot - block.FirstSlot) * SegmentIndex.EntryBytes), entry);
    }

    private int NextBlockBytes => SegmentIndex.NextBlockBytes(_blocks[^1].BlockBytes);

    private bool IsLink(int slot) => slot == _blocks[^1].FirstSlot + SegmentIndex.SlotsOf(_blocks[^1].BlockBytes) - 1;
}
