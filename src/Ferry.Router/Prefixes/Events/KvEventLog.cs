using Microsoft.Extensions.Logging;

namespace Ferry.Router.Prefixes.Events;

/// <summary>Events 6140 to 6159.</summary>
internal static partial class KvEventLog
{
    [LoggerMessage(6140, LogLevel.Information, "follows the KV events of {Node} at {Endpoint}")]
    public static partial void Follows(ILogger logger, string node, string endpoint);

    [LoggerMessage(6141, LogLevel.Warning, "{Node}: KV events have a gap or began anew; what was known of it is forgotten")]
    public static partial void Forgot(ILogger logger, string node);

    [LoggerMessage(6142, LogLevel.Warning, "{Node}: a batch of KV events cannot be read: {Reason}")]
    public static partial void Unreadable(ILogger logger, string node, string reason);

    [LoggerMessage(6143, LogLevel.Error, "{Node}: KV events at {Endpoint} cannot be followed: {Reason}")]
    public static partial void CannotFollow(ILogger logger, string node, string endpoint, string reason);
}
