using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Peers;

/// <summary>Events 5020 to 5029: exchanges that read from each other.</summary>
internal static partial class PeerLog
{
    [LoggerMessage(5020, LogLevel.Information, "{Peer} is this exchange itself: it is not asked.")]
    public static partial void IsSelf(ILogger logger, string peer);

    [LoggerMessage(5021, LogLevel.Warning, "A KV record from {Peer} is damaged ({Reason}); it is a miss, and the peer was asked to prove its own: {Location}")]
    public static partial void RecordDamaged(ILogger logger, string peer, string location, string reason);
}
