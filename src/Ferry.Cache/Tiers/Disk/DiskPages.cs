namespace Ferry.Cache.Tiers.Disk;

/// <summary>The unit in which a segment is laid out: what direct I/O asks for on every disk, and what a slot of the arena starts at.</summary>
internal static class DiskPages
{
    public const int PageBytes = 4096;

    public static long RoundUp(long byteCount) => (byteCount + PageBytes - 1) & ~(long)(PageBytes - 1);

    public static long RoundDown(long byteCount) => byteCount & ~(long)(PageBytes - 1);
}
