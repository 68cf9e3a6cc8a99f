using Ferry.Cache.Tiers.Disk.Files;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Events 2100 to 2199.</summary>
internal static partial class DiskLog
{
    [LoggerMessage(2100, LogLevel.Information, "Disk tier {Tier}: {Records} records ({RecordBytes} bytes) in {Segments} segments, {AllocatedBytes} of {CapacityBytes} bytes taken, {DirectIo} I/O; {Verified} records checked, {Dropped} torn or damaged ones dropped. Read in {Elapsed}.")]
    public static partial void Opened(
        ILogger logger, string tier, long records, long recordBytes, int segments, long allocatedBytes, long capacityBytes, DirectIo directIo, long verified, long dropped, TimeSpan elapsed);

    [LoggerMessage(2101, LogLevel.Error, "A KV record on disk is damaged and was dropped; it will be recomputed: {Location}: {Reason}. Repeated damage points at a failing device.")]
    public static partial void RecordDamaged(ILogger logger, string location, string reason);

    [LoggerMessage(2102, LogLevel.Error, "Segment file {File} is damaged ({Reason}); its records are lost and will be recomputed. Repeated damage points at a failing device.")]
    public static partial void SegmentDamaged(ILogger logger, string file, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "Disk tier {Tier} is off for writing: {Reason} {WayOut} Reading and inference go on; writing is tried again after {RetryAfter}, then less often, and needs no restart.")]
    public static partial void WritingOff(ILogger logger, string tier, string reason, string wayOut, TimeSpan retryAfter);

    [LoggerMessage(2104, LogLevel.Information, "Disk tier {Tier} is on again for writing.")]
    public static partial void WritingOn(ILogger logger, string tier);

    [LoggerMessage(2105, LogLevel.Warning, "Disk tier {Tier} runs without direct I/O: {Reason}. Records go through the page cache, which competes with the memory tier.")]
    public static partial void NotDirect(ILogger logger, string tier, string reason);

    [LoggerMessage(2106, LogLevel.Warning, "Disk tier {Tier} holds {AllocatedBytes} bytes, more than cache.disk.capacityBytes ({CapacityBytes}): it was lowered. Records are evicted down to it.")]
    public static partial void OverCapacity(ILogger logger, string tier, long allocatedBytes, long capacityBytes);
}
