using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote;

/// <summary>Events 5000 to 5019: shared tiers.</summary>
internal static partial class RemoteLog
{
    [LoggerMessage(5000, LogLevel.Warning, "A KV record in {Tier} is damaged ({Reason}) and was deleted; it will be recomputed: {Location}")]
    public static partial void RecordDamaged(ILogger logger, string tier, string location, string reason);

    [LoggerMessage(5001, LogLevel.Debug, "{Tier}: {Deleted} records expired or least recently used deleted, {Bytes} bytes.")]
    public static partial void Evicted(ILogger logger, string tier, long deleted, long bytes);

    [LoggerMessage(5002, LogLevel.Warning, "{Tier} holds more than {ScanRecordsMax} records; it is measured in part, so its limit is kept in part. Raise scanRecordsMax.")]
    public static partial void ScanCutOff(ILogger logger, string tier, int scanRecordsMax);

    [LoggerMessage(5003, LogLevel.Warning, "{Tier} could not be counted: {Reason} Until it can, a tier with a limit takes no records.")]
    public static partial void WalkFailed(ILogger logger, string tier, string reason);

    [LoggerMessage(5004, LogLevel.Warning, "{Tier} cannot take a record of {RecordBytes} bytes: one value may have {ValueBytesMax} (said once; the count goes on in the metrics).")]
    public static partial void RecordTooLarge(ILogger logger, string tier, long recordBytes, long valueBytesMax);

    [LoggerMessage(5005, LogLevel.Information, "{Tier}: {Uploads} uploads that a process left unfinished were ended.")]
    public static partial void UploadsEnded(ILogger logger, string tier, int uploads);
}
