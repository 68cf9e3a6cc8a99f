using Microsoft.Extensions.Logging;

namespace Ferry.Router.Prefixes.Sharing;

/// <summary>Events 6160 to 6169.</summary>
internal static partial class SharingLog
{
    [LoggerMessage(6160, LogLevel.Warning, "Redis at {Endpoint} does not answer; this router goes on with its own knowledge: {Reason}")]
    public static partial void RedisAway(ILogger logger, string endpoint, string reason);
}
