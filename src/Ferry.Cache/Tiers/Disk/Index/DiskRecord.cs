using Ferry.Cache.Tiers.Disk.Segments;

namespace Ferry.Cache.Tiers.Disk.Index;

/// <summary>One record on disk: 64 bytes of memory. Changed under the store's lock only.</summary>
internal sealed class DiskRecord
{
    public required DiskFamily Family { get; init; }

    /// <summary>The next record of the chunk.</summary>
    public DiskRecord? Next { get; set; }

    public required DiskSegment Segment { get; set; }

    public required long Sequence { get; init; }

    public required uint Page { get; set; }

    public required int Slot { get; set; }

    public required int RecordBytes { get; init; }

    public required ushort FirstHead { get; init; }

    public required ushort Heads { get; init; }

    /// <summary>No longer in the index. No record begins at page 0.</summary>
    public bool IsGone => Page == 0;

    /// <summary>For people: file and byte position.</summary>
    public string Location => $"{Segment.Name}@{Position}";

    public long Position => (long)Page * DiskPages.PageBytes;

    /// <summary>Whether it still lies where it was seen: not evicted, deleted or moved since.</summary>
    public bool IsAt(DiskSegment segment, long position) => !IsGone && ReferenceEquals(Segment, segment) && Position == position;

    /// <summary>What it takes up: whole pages.</summary>
    public long ExtentBytes => DiskPages.RoundUp(RecordBytes);
}
