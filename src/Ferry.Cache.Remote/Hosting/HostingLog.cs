using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Hosting;

/// <summary>Events 5400 to 5419.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(5400, LogLevel.Error, "The admin request {Path} failed.")]
    public static partial void AdminFailed(ILogger logger, string path, Exception exception);
}
