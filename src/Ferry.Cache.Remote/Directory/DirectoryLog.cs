using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Directory;

/// <summary>Events 5000 to 5019.</summary>
internal static partial class DirectoryLog
{
    [LoggerMessage(5000, LogLevel.Warning, "A shared KV record is damaged ({Reason}) and was deleted; it will be recomputed: {Path}")]
    public static partial void RecordDamaged(ILogger logger, string path, string reason);

    [LoggerMessage(5001, LogLevel.Debug, "Shared directory {Path}: {Deleted} records least recently used deleted, {Bytes} bytes kept of {CapacityBytes}.")]
    public static partial void Evicted(ILogger logger, string path, long deleted, long bytes, long capacityBytes);

    [LoggerMessage(5002, LogLevel.Warning, "Shared directory {Path} holds more than {ScanFilesMax} files; its size is measured in part, so its limit of {CapacityBytes} bytes is kept in part.")]
    public static partial void ScanCutOff(ILogger logger, string path, int scanFilesMax, long capacityBytes);
}
