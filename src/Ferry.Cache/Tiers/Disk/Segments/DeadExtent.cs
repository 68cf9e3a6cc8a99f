namespace Ferry.Cache.Tiers.Disk.Segments;

/// <summary>Pages of a segment that nobody needs any more, and the slot that still names them (0: none does).</summary>
/// <remarks>The pages are given back only after the slot was emptied and that is on the medium: no slot ever names pages that were given back.</remarks>
internal readonly record struct DeadExtent(long SlotPosition, long Position, long ByteCount);
