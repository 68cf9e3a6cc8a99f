using Ferry.Kv.Hashing;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache;

/// <summary>Events 2000 to 2999.</summary>
internal static partial class CacheLog
{
    [LoggerMessage(2000, LogLevel.Error, "A KV record in memory does not match its checksum and was dropped; it will be recomputed: chunk {Hash}, first head {FirstHead}, arena offset {Offset}. Repeated damage points at faulty memory.")]
    public static partial void RecordDamaged(ILogger logger, ChunkHash hash, int firstHead, long offset);

    [LoggerMessage(2001, LogLevel.Warning, "The KV cache has no room for a record of {RecordBytes} bytes: of {CapacityBytes} bytes {HeldBytes} are leased or pinned. The chunk is not cached (said once; the count goes on in the metrics). Raise the cache's memory or shorten the lease duration.")]
    public static partial void NoRoom(ILogger logger, long recordBytes, long capacityBytes, long heldBytes);

    [LoggerMessage(2010, LogLevel.Warning, "Cache tier {Tier} is off for {Direction} during {OpenFor}: {Reason}. Requests go on without it.")]
    public static partial void TierOff(ILogger logger, string tier, string direction, TimeSpan openFor, string reason);

    [LoggerMessage(2011, LogLevel.Information, "Cache tier {Tier} is on again for {Direction} after {Failures} failures.")]
    public static partial void TierBack(ILogger logger, string tier, string direction, long failures);

    [LoggerMessage(2020, LogLevel.Warning, "Writing behind to {Tier} cannot keep up: its queue of {QueueBytes} bytes is full and records are dropped (said once; the count goes on in the metrics). They stay in memory until evicted.")]
    public static partial void WriteBehindFull(ILogger logger, string tier, long queueBytes);

    [LoggerMessage(2021, LogLevel.Warning, "Cache tier {Tier} is full and takes no more records (said once; the count goes on in the metrics).")]
    public static partial void TierFull(ILogger logger, string tier);

    [LoggerMessage(2022, LogLevel.Warning, "{Records} records had not been written behind to {Tier} when the cache closed; its deadline is {Deadline}.")]
    public static partial void WriteBehindCutOff(ILogger logger, long records, string tier, TimeSpan deadline);

    [LoggerMessage(2030, LogLevel.Error, "Prefetching a chunk failed; it is read when it is asked for.")]
    public static partial void PrefetchFailed(ILogger logger, Exception exception);
}
