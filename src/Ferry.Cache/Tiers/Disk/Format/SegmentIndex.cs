namespace Ferry.Cache.Tiers.Disk.Format;

/// <summary>The geometry of a segment's index: blocks of slots, the first behind the header, the last slot of each naming the next block.</summary>
internal static class SegmentIndex
{
    public const int EntryBytes = 256; // Two in a sector, none across: a slot is whole or not there.
    public const int FirstBlockPage = 1;
    public const int FirstBlockBytes = DiskPages.PageBytes;

    /// <summary>Blocks double up to this: 15 records cost one page, a million cost one read each 255.</summary>
    public const int BlockBytesMax = 64 << 10;

    public static int NextBlockBytes(int blockBytes) => Math.Min(2 * blockBytes, BlockBytesMax);

    public static int SlotsOf(int blockBytes) => blockBytes / EntryBytes;
}
