namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Where a run of a segment's slots lies.</summary>
internal readonly record struct IndexBlock(int FirstSlot, long Position, int BlockBytes);
