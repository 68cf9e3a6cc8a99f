using Ferry.Cache.Tiers.Disk.Format;
using Ferry.Cache.Tiers.Disk.Index;
using Ferry.Cache.Tiers.Disk.Segments;
using Ferry.Kv.Keys;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Rebuilds the index from the segments' own: of records behind a checkpoint nothing is read, of the few others everything.</summary>
internal sealed class DiskRecovery(SegmentStore store, DiskIo reads, ILogger logger)
{
    private const long UnnamedBytesMax = 64 << 10; // Less is not worth a walk over the segment's holes; blocks of the file system itself are in it too.

    private readonly Dictionary<(UInt128 Low, UInt128 High), bool> _layouts = []; // Under the store's lock: whether a family means something.
    private long _verified;
    private long _dropped;

    /// <summary>Records read whole, because nothing proved that they had reached the medium.</summary>
    public long Verified => Volatile.Read(ref _verified);

    /// <summary>Torn or damaged records, and slots of the index.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <exception cref="DiskTierException">A segment is of another format; nothing was changed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var names = store.Files.List();
        var segments = names.Where(IsSegment).Order(StringComparer.Ordinal).ToArray();
        var opened = await Task.WhenAll(segments.Select(name => reads.RunAsync(() => TryOpen(name), cancellationToken)));
        // Only now that all are known to be ours is anything changed.
        foreach (var name in names.Where(name => name.EndsWith(SegmentStore.NewExtension, StringComparison.Ordinal)).Concat(segments.Where((_, index) => opened[index] is null)))
        {
            Try(() => store.Files.Delete(name));
        }
        await Task.WhenAll(opened.Where(found => found is not null).Select(found => reads.RunAsync(() => Load(found!.Value.Segment, found.Value.Reader), cancellationToken)));
    }

    private static bool IsSegment(string name) =>
        name.EndsWith(SegmentStore.Extension, StringComparison.Ordinal) && name.Length >= SegmentStore.NameOf(1).Length
        && long.TryParse(name[..^SegmentStore.Extension.Length], System.Globalization.NumberStyles.None, null, out var number) && SegmentStore.NameOf(number) == name;

    private (DiskSegment Segment, SegmentReader Reader)? TryOpen(string name)
    {
        var file = store.Files.Open(name);
        var reader = SegmentReader.TryOpen(file, out var otherVersion);
        if (otherVersion)
        {
            file.Dispose();
            throw new DiskTierException(
                $"{name} in the disk tier's directory {store.Files.Path} is a segment of another format version. Nothing was touched. Use the version of Ferry that wrote it, or delete the file.");
        }
        var number = long.Parse(name[..^SegmentStore.Extension.Length], System.Globalization.CultureInfo.InvariantCulture);
        lock (store.Gate)
        {
            store.SawNumber_NeedsLock(number);
        }
        if (reader is null || reader.Header.Number != number)
        {
            file.Dispose();
            Interlocked.Increment(ref _dropped);
            DiskLog.SegmentDamaged(logger, name, reader is null ? "no valid header" : $"its header is that of segment {reader.Header.Number}");
            return null;
        }
        return (new DiskSegment(reader.Header, name, file, store.Gate), reader);
    }

    private void Load(DiskSegment segment, SegmentReader reader)
    {
        var probe = new RecordProbe();
        var torn = new List<DeadExtent>();
        var live = new List<(long Start, long End)>();
        reader.ReadAll(
            (slot, slotPosition, entry) =>
            {
                var position = (long)entry.Page * DiskPages.PageBytes;
                var extent = new DeadExtent(slotPosition, position, DiskPages.RoundUp(entry.ByteCount));
                if (slot < reader.Checkpoint || IsWhole(segment, probe, entry))
                {
                    lock (store.Gate)
                    {
                        store.SawSequence_NeedsLock(entry.Sequence);
                        if (TryAdd_NeedsLock(segment, slot, entry))
                        {
                            live.Add((position, position + extent.ByteCount));
                            return;
                        }
                    }
                }
                torn.Add(extent);
            },
            block =>
            {
                live.Add((block.Position, block.Position + block.BlockBytes));
                lock (store.Gate)
                {
                    segment.Restore_NeedsLock(block);
                }
            });
        if (reader.DamagedSlots > 0)
        {
            Interlocked.Add(ref _dropped, reader.DamagedSlots);
            DiskLog.SegmentDamaged(logger, segment.Name, $"{reader.DamagedSlots} slots of its index");
        }
        // Before any checkpoint can say that these slots are good.
        var isEmptied = torn.Count == 0 || Try(() => segment.EmptySlots(torn.Select(extent => extent.SlotPosition)));
        Register(segment, reader, torn, live, isEmptied);
    }

    private void Register(DiskSegment segment, SegmentReader reader, List<DeadExtent> torn, List<(long Start, long End)> live, bool isEmptied)
    {
        live.Sort();
        var end = live[^1].End;
        var allocated = segment.File.AllocatedBytes;
        lock (store.Gate)
        {
            segment.Restored_NeedsLock(reader.Checkpoint);
            segment.IsBroken = !isEmptied;
            torn.ForEach(segment.AddDead_NeedsLock);
            segment.CursorBytes = end;
            segment.LengthBytes = reader.LengthBytes;
            segment.PunchedBytes = Math.Max(0, reader.LengthBytes - allocated);
            segment.ChargedBytes = allocated;
            // What was being written, or evicted, when the last run ended: pages that nothing names.
            var unnamed = allocated - Math.Max(0, reader.LengthBytes - end) - DiskPages.PageBytes - live.Sum(extent => extent.End - extent.Start);
            if (unnamed > UnnamedBytesMax)
            {
                AddGaps_NeedsLock(segment, live, torn);
            }
            store.Register_NeedsLock(segment);
        }
    }

    private static void AddGaps_NeedsLock(DiskSegment segment, List<(long Start, long End)> live, List<DeadExtent> torn)
    {
        var from = (long)DiskPages.PageBytes;
        foreach (var (start, end) in live.Concat(torn.Select(extent => (Start: extent.Position, End: extent.Position + extent.ByteCount))).Order())
        {
            if (start > from)
            {
                segment.AddDead_NeedsLock(new DeadExtent(0, from, start - from));
            }
            from = Math.Max(from, end);
        }
    }

    private bool IsWhole(DiskSegment segment, RecordProbe probe, SegmentEntry entry)
    {
        Interlocked.Increment(ref _verified);
        string? damage;
        try
        {
            damage = probe.FindDamage(segment.File, (long)entry.Page * DiskPages.PageBytes, (int)entry.ByteCount, entry.HeaderChecksum, null, out _);
        }
        catch (IOException error)
        {
            damage = error.Message;
        }
        if (damage is not null)
        {
            Interlocked.Increment(ref _dropped); // What a power failure tore: expected, so counted and not an error.
        }
        return damage is null;
    }

    /// <summary>False when the record is not to be kept: an older one of the same name, or a layout that means nothing here.</summary>
    private bool TryAdd_NeedsLock(DiskSegment segment, int slot, SegmentEntry entry)
    {
        if (!IsKnown_NeedsLock(entry))
        {
            Interlocked.Increment(ref _dropped);
            return false;
        }
        var key = entry.Key;
        if (store.Index.TryFind(key, entry.Layout) is { } present)
        {
            if (present.Sequence >= entry.Sequence)
            {
                return false;
            }
            store.Remove_NeedsLock(store.Index.TryFind(key)!, present);
        }
        Publish_NeedsLock(store, key, entry.Layout, segment, slot, entry.Page, (int)entry.ByteCount, entry.Sequence, entry.WrittenUnixSeconds);
        return true;
    }

    public static void Publish_NeedsLock(
        SegmentStore store, in KvKey key, ReadOnlySpan<byte> layout, DiskSegment segment, int slot, uint page, int recordBytes, long sequence, uint usedUnixSeconds)
    {
        var (firstHead, heads, _) = LayoutCode.HeadsOf(layout);
        var record = new DiskRecord
        {
            Family = store.Index.FamilyOf(layout),
            Segment = segment,
            Sequence = sequence,
            Page = page,
            Slot = slot,
            RecordBytes = recordBytes,
            FirstHead = (ushort)firstHead,
            Heads = (ushort)heads,
        };
        store.Index.Add(key, record, usedUnixSeconds);
        segment.LiveRecords++;
        segment.LiveBytes += record.ExtentBytes;
    }

    private bool IsKnown_NeedsLock(SegmentEntry entry)
    {
        var (firstHead, heads, modelHeads) = LayoutCode.HeadsOf(entry.Layout);
        if (heads == 0 || firstHead + heads > modelHeads)
        {
            return false;
        }
        var family = LayoutCode.FamilyOf(entry.Layout);
        if (!_layouts.TryGetValue(family, out var isKnown))
        {
            var layout = LayoutCode.Read(entry.Layout, entry.ByteCount);
            isKnown = layout.FindErrors().Count == 0;
            _layouts.Add(family, isKnown);
        }
        return isKnown;
    }

    /// <returns>False on a directory that may only be read, which is served as it is.</returns>
    private static bool Try(Action change)
    {
        try
        {
            change();
            return true;
        }
        catch (Exception error) when (DiskFault.Of(error) == DiskFault.ReadOnly)
        {
            return false;
        }
    }
}
