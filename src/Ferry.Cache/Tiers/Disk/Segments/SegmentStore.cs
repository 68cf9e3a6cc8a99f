using System.Globalization;
using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Cache.Tiers.Disk.Index;

namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>The index, the segment files and the bytes they take up, under one lock; makes, fills, seals and deletes segments.</summary>
/// <remarks>The lock is never held over a call to the file system.</remarks>
internal sealed class SegmentStore : IAsyncDisposable
{
    public const string Extension = ".seg";
    public const string NewExtension = ".new";

    // Directory, format file and lock, and what a directory of many names grows by.
    private const long FixedBytes = 16 * DiskPages.PageBytes;

    private readonly Dictionary<long, DiskSegment> _segments = [];
    private readonly TimeProvider _time;
    private readonly long _marginBytes;
    private long _chargedBytes;
    private long _lastNumber;
    private long _lastSequence;

    public SegmentStore(DiskTierOptions options, IDiskFiles files, DiskIndex index, DiskIo writes, TimeProvider time)
    {
        (Options, Files, Index, Writes, _time) = (options, files, index, writes, time);
        // Blocks that file systems add to a file with many extents show only after the fact; measured again at every change of a segment's shape.
        _marginBytes = FixedBytes + (options.CapacityBytes / 2048);
    }

    public Lock Gate { get; } = new();

    public DiskTierOptions Options { get; }

    public IDiskFiles Files { get; }

    public DiskIndex Index { get; }

    public DiskIo Writes { get; }

    public AppendLane Puts { get; } = new();

    public AppendLane Moves { get; } = new();

    /// <summary>False once the file system has shown that it has no holes.</summary>
    public bool CanPunch { get; set; } = true;

    public uint NowUnixSeconds => (uint)_time.GetUtcNow().ToUnixTimeSeconds();

    public IReadOnlyCollection<DiskSegment> Segments_NeedsLock => _segments.Values;

    /// <summary>What the files take up on the file system.</summary>
    public long AllocatedBytes_NeedsLock => _chargedBytes;

    public long FreeBytes_NeedsLock => Options.CapacityBytes - _marginBytes - _chargedBytes;

    /// <summary>The largest record that could ever be stored.</summary>
    public long RecordBytesMax => DiskPages.RoundDown(Options.CapacityBytes - _marginBytes - FirstRecordPosition - CompactionReserve);

    /// <summary>Without holes, room comes from moving records together, and that needs room.</summary>
    private long CompactionReserve => CanPunch ? 0 : Options.SegmentBytesOrDefault;

    private static long FirstRecordPosition => DiskSegment.FirstBlock.Position + DiskSegment.FirstBlock.BlockBytes;

    public long NextSequence() => Interlocked.Increment(ref _lastSequence);

    public void SawSequence_NeedsLock(long sequence) => _lastSequence = Math.Max(_lastSequence, sequence);

    public void SawNumber_NeedsLock(long number) => _lastNumber = Math.Max(_lastNumber, number);

    public void Register_NeedsLock(DiskSegment segment)
    {
        _segments.Add(segment.Header.Number, segment);
        _chargedBytes += segment.ChargedBytes;
    }

    public void Charge_NeedsLock(DiskSegment segment, long chargedBytes)
    {
        if (!segment.IsGone && _segments.ContainsKey(segment.Header.Number))
        {
            _chargedBytes += chargedBytes - segment.ChargedBytes;
            segment.ChargedBytes = chargedBytes;
        }
    }

    /// <summary>Looks at what a segment takes up now, and counts that.</summary>
    public void Measure(DiskSegment segment)
    {
        var measured = segment.File.AllocatedBytes;
        lock (Gate)
        {
            Charge_NeedsLock(segment, Math.Max(measured, segment.LengthBytes - segment.PunchedBytes));
        }
    }

    /// <summary>Room for a record that the lane's segment has, or can be given within the cap.</summary>
    /// <returns>Null when the cap leaves none: evict, then ask again. Then the missing bytes say how much.</returns>
    public async Task<(DiskPlace? Place, long MissingBytes)> TryTakeAsync(AppendLane lane, long recordBytes, CancellationToken cancellationToken)
    {
        await lane.Turn.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                DiskSegment? segment;
                long end;
                lock (Gate)
                {
                    segment = lane.Active;
                    if (segment is not null && (segment.IsBroken || segment.EndWith_NeedsLock(recordBytes) > Math.Max(Options.SegmentBytesOrDefault, segment.LengthBytes)))
                    {
                        segment.IsSealed = true;
                        segment = lane.Active = null;
                    }
                    if (segment is not null && segment.EndWith_NeedsLock(recordBytes) <= segment.LengthBytes)
                    {
                        return (segment.Take_NeedsLock(recordBytes), 0);
                    }
                    end = PlanEnd_NeedsLock(segment, recordBytes, ReferenceEquals(lane, Puts) ? CompactionReserve : 0, out var missing);
                    if (missing > 0)
                    {
                        return (null, missing);
                    }
                    if (segment is not null)
                    {
                        Hold_NeedsLock(segment);
                    }
                }
                await GrowAsync(lane, segment, end, cancellationToken);
            }
        }
        finally
        {
            lane.Turn.Release();
        }
    }

    /// <summary>Nothing more is appended to what the lane fills now.</summary>
    public static void Seal_NeedsLock(AppendLane lane)
    {
        if (lane.Active is { } active)
        {
            active.IsSealed = true;
            lane.Active = null;
        }
    }

    /// <summary>A write into the segment failed: what comes next goes into another one.</summary>
    public void Break_NeedsLock(DiskSegment segment)
    {
        segment.IsBroken = true;
        foreach (var lane in (ReadOnlySpan<AppendLane>)[Puts, Moves])
        {
            if (ReferenceEquals(lane.Active, segment))
            {
                Seal_NeedsLock(lane);
            }
        }
    }

    /// <summary>Cuts a sealed segment to its length and puts all of it on the medium. Blocks.</summary>
    public void Finish(DiskSegment segment)
    {
        long end;
        lock (Gate)
        {
            end = segment.CursorBytes;
        }
        if (end < segment.LengthBytes)
        {
            segment.File.Truncate(end);
            lock (Gate)
            {
                segment.LengthBytes = end;
            }
        }
        if (!segment.IsBroken) // A sync of what has failed once says nothing; the next start proves it record by record.
        {
            segment.Sync();
        }
        Measure(segment);
        lock (Gate)
        {
            segment.IsFinished = true;
        }
    }

    /// <summary>Deletes a segment that has no records and that the caller has marked as moving; durable when this returns. Blocks.</summary>
    /// <returns>True; or it throws, and the segment is as it was.</returns>
    public bool TryDelete(DiskSegment segment)
    {
        try
        {
            Files.Delete(segment.Name);
            Files.SyncDirectory();
        }
        catch
        {
            lock (Gate)
            {
                segment.IsMoving = false;
            }
            throw;
        }
        bool close;
        lock (Gate)
        {
            Charge_NeedsLock(segment, 0);
            _segments.Remove(segment.Header.Number);
            segment.IsGone = true;
            close = segment.Holders == 0;
        }
        if (close)
        {
            segment.File.Dispose();
        }
        return true;
    }

    /// <summary>Keeps the segment's file open for one who uses it without the lock. Only an open place in it, or having marked it as moving, does so too: else anybody may delete it meanwhile.</summary>
    public static void Hold_NeedsLock(DiskSegment segment) => segment.Holders++;

    public void LetGo(DiskSegment segment)
    {
        bool close;
        lock (Gate)
        {
            close = --segment.Holders == 0 && segment.IsGone;
        }
        if (close)
        {
            segment.File.Dispose();
        }
    }

    /// <summary>Takes a record out of the index; its pages are given back later.</summary>
    public void Remove_NeedsLock(DiskChunk chunk, DiskRecord record, bool isEvicted = false)
    {
        Index.Remove(chunk, record, isEvicted);
        var segment = record.Segment;
        segment.LiveRecords--;
        segment.LiveBytes -= record.ExtentBytes;
        segment.AddDead_NeedsLock(new DeadExtent(segment.PositionOf_NeedsLock(record.Slot), record.Position, record.ExtentBytes));
        record.Page = 0;
    }

    public static string NameOf(long number) => number.ToString("D12", CultureInfo.InvariantCulture) + Extension;

    public async ValueTask DisposeAsync()
    {
        DiskSegment[] segments;
        lock (Gate)
        {
            segments = [.. _segments.Values];
        }
        foreach (var segment in segments)
        {
            segment.File.Dispose();
        }
        await Writes.DisposeAsync();
        Puts.Dispose();
        Moves.Dispose();
    }

    /// <summary>How far the segment's file, or a new one, should reach, and charges that; or what is missing for it.</summary>
    private long PlanEnd_NeedsLock(DiskSegment? segment, long recordBytes, long reserve, out long missing)
    {
        var length = segment?.LengthBytes ?? 0;
        var needed = segment?.EndWith_NeedsLock(recordBytes) ?? FirstRecordPosition + DiskPages.RoundUp(recordBytes);
        var wanted = Math.Max(needed, Math.Min(length + Options.GrowBytes, Options.SegmentBytesOrDefault));
        var free = FreeBytes_NeedsLock - reserve;
        var end = wanted - length <= free ? wanted : needed;
        missing = Math.Max(0, end - length - free);
        if (missing == 0)
        {
            _chargedBytes += end - length; // Reserved; GrowAsync turns it into the segment's own.
        }
        return end;
    }

    /// <param name="segment">Held for this call; null: a new one.</param>
    private async Task GrowAsync(AppendLane lane, DiskSegment? segment, long end, CancellationToken cancellationToken)
    {
        var reserved = end - (segment?.LengthBytes ?? 0);
        try
        {
            if (segment is null)
            {
                var made = await Writes.RunAsync(() => Create(end), cancellationToken);
                lock (Gate)
                {
                    made.LengthBytes = end;
                    _segments.Add(made.Header.Number, made);
                    lane.Active = segment = made;
                    Hold_NeedsLock(made);
                }
            }
            else
            {
                await Writes.RunAsync(() => segment.File.Extend(end), cancellationToken);
                lock (Gate)
                {
                    segment.LengthBytes = end;
                }
            }
        }
        finally
        {
            var measured = segment?.File.AllocatedBytes ?? 0;
            lock (Gate)
            {
                _chargedBytes -= reserved;
                if (segment is not null)
                {
                    Charge_NeedsLock(segment, Math.Max(measured, segment.LengthBytes - segment.PunchedBytes));
                }
            }
            if (segment is not null)
            {
                LetGo(segment);
            }
        }
    }

    /// <summary>Makes a segment that is there after a power failure as soon as anything in it can be.</summary>
    private DiskSegment Create(long lengthBytes)
    {
        long number;
        lock (Gate)
        {
            number = ++_lastNumber;
        }
        var header = new SegmentHeader(number, Guid.NewGuid(), _time.GetUtcNow().ToUnixTimeSeconds());
        var name = NameOf(number);
        var newName = name + NewExtension;
        var file = Files.Create(newName);
        try
        {
            file.Extend(lengthBytes);
            Span<byte> page = stackalloc byte[DiskPages.PageBytes];
            page.Clear();
            header.Write(page);
            file.WriteSmall(0, page);
            file.Sync();
            Files.Rename(newName, name);
            Files.SyncDirectory();
            return new DiskSegment(header, name, file, Gate);
        }
        catch
        {
            file.Dispose();
            TryDelete(newName);
            TryDelete(name);
            throw;
        }
    }

    private void TryDelete(string name)
    {
        try
        {
            Files.Delete(name);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The next start deletes it: it has no record.
        }
    }
}
