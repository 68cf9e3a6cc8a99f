using Ferry.Cache.Tiers.Disk.Files;
using Ferry.Cache.Tiers.Disk.Format;

namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Reads a segment's header and index, and none of its records. Any bytes may be in the file.</summary>
internal sealed class SegmentReader
{
    public delegate void EntryFound(int slot, long slotPosition, SegmentEntry entry);

    private readonly IDiskFile _file;
    private readonly List<IndexBlock> _blocks = [];

    private SegmentReader(IDiskFile file, SegmentHeader header, int checkpoint, long lengthBytes)
    {
        (_file, Header, Checkpoint, LengthBytes) = (file, header, checkpoint, lengthBytes);
    }

    public SegmentHeader Header { get; }

    /// <summary>Slots below this are on the medium with the records that they name.</summary>
    public int Checkpoint { get; }

    public long LengthBytes { get; }

    public IReadOnlyList<IndexBlock> Blocks => _blocks;

    public int SlotCount => _blocks[^1].FirstSlot + SegmentIndex.SlotsOf(_blocks[^1].BlockBytes);

    /// <summary>Slots that hold neither an entry nor nothing.</summary>
    public int DamagedSlots { get; private set; }

    /// <summary>Null when the file is no segment that this version reads.</summary>
    public static SegmentReader? TryOpen(IDiskFile file, out bool otherVersion)
    {
        Span<byte> page = stackalloc byte[DiskPages.PageBytes];
        page.Clear();
        var read = file.ReadSmall(0, page);
        var header = SegmentHeader.TryRead(page[..read], out otherVersion);
        return header is null ? null : new SegmentReader(file, header, SegmentCheckpoint.Read(header.Seed, page), file.LengthBytes);
    }

    /// <summary>Names every record of the index in order of slots.</summary>
    /// <param name="blockFound">Told of each block before the records in it; null for nobody.</param>
    public void ReadAll(EntryFound found, Action<IndexBlock>? blockFound = null)
    {
        _blocks.Clear();
        DamagedSlots = 0;
        var buffer = new byte[SegmentIndex.BlockBytesMax];
        // Each block lies behind the one before it, so the file's length bounds the walk.
        for (IndexBlock? block = DiskSegment.FirstBlock; block is { } current; block = ReadBlock(current, buffer, found))
        {
            _blocks.Add(current);
            blockFound?.Invoke(current);
        }
    }

    private IndexBlock? ReadBlock(IndexBlock block, byte[] buffer, EntryFound found)
    {
        var bytes = buffer.AsSpan(0, block.BlockBytes);
        bytes.Clear();
        _file.ReadSmall(block.Position, bytes); // What lies past the end of a cut file is zero, which is an empty slot.
        IndexBlock? next = null;
        for (var index = 0; index < SegmentIndex.SlotsOf(block.BlockBytes); index++)
        {
            var slot = block.FirstSlot + index;
            var slotBytes = bytes.Slice(index * SegmentIndex.EntryBytes, SegmentIndex.EntryBytes);
            if (SegmentEntry.IsEmpty(slotBytes))
            {
                continue;
            }
            if (!SegmentEntry.TryRead(slotBytes, Header.Seed, slot, out var entry))
            {
                DamagedSlots++;
            }
            else if (!entry.IsRecord)
            {
                next = index == SegmentIndex.SlotsOf(block.BlockBytes) - 1 ? NextBlock(block, slot, entry) : null;
                DamagedSlots += next is null ? 1 : 0;
            }
            else if (((long)entry.Page * DiskPages.PageBytes) + entry.ByteCount <= LengthBytes)
            {
                found(slot, block.Position + ((long)index * SegmentIndex.EntryBytes), entry);
            }
            else
            {
                DamagedSlots++;
            }
        }
        return next;
    }

    private IndexBlock? NextBlock(IndexBlock block, int slot, SegmentEntry entry)
    {
        var position = (long)entry.Page * DiskPages.PageBytes;
        return position >= block.Position + block.BlockBytes && entry.ByteCount == SegmentIndex.NextBlockBytes(block.BlockBytes)
            && position + entry.ByteCount <= LengthBytes
                ? new IndexBlock(slot + 1, position, (int)entry.ByteCount)
                : null;
    }
}
