using Ferry.Cache.Tiers.Disk.Files;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>What the tier holds and does, for metrics and people.</summary>
/// <param name="Records">In the index.</param>
/// <param name="RecordBytes">Headers and payloads.</param>
/// <param name="AllocatedBytes">What the files take up on the file system: what counts against the cap.</param>
/// <param name="LiveBytes">Whole pages of the records.</param>
/// <param name="MovedBytes">Copied by compaction since the start.</param>
/// <param name="Dropped">Torn or damaged records that the start found.</param>
/// <param name="WritesOff">Why nothing is written; null when writing is on.</param>
public sealed record DiskTierStats(
    long Chunks, long Records, long RecordBytes, int Segments, long AllocatedBytes, long LiveBytes, long CapacityBytes, long MovedBytes, long Dropped,
    int Pins, DirectIo DirectIo, string? WritesOff);
