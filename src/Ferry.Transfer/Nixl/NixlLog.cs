using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.Nixl;

/// <summary>Event ids 3300 to 3399; next free: 3310.</summary>
internal static partial class NixlLog
{
    [LoggerMessage(3300, LogLevel.Warning, "NIXL side channel: connection from {Remote} refused, {ConnectionCountMax} are open (ConnectionCountMax).")]
    public static partial void CommRefused(ILogger logger, string remote, int connectionCountMax);

    [LoggerMessage(3301, LogLevel.Information, "NIXL side channel: connection from {Remote} ended: {Reason}")]
    public static partial void CommClosed(ILogger logger, string remote, string reason);

    [LoggerMessage(3302, LogLevel.Information, "NIXL handshakes for {RankCount} ranks of engine {EngineId} are answered at {Endpoint}.")]
    public static partial void HandshakeServing(ILogger logger, int rankCount, string engineId, string endpoint);

    [LoggerMessage(3303, LogLevel.Warning, "NIXL handshake: a question was refused: {Reason}")]
    public static partial void HandshakeRefused(ILogger logger, string reason);

    [LoggerMessage(3304, LogLevel.Error, "NIXL handshake: answering failed.")]
    public static partial void HandshakeFailed(ILogger logger, Exception exception);

    [LoggerMessage(3305, LogLevel.Warning, "NIXL agent {Agent}: {Reason}")]
    public static partial void PeerRefused(ILogger logger, string agent, string reason);

    [LoggerMessage(3306, LogLevel.Information, "NIXL agent {Agent} is loaded: {RegionCount} regions, UCX {UcxVersion} here.")]
    public static partial void PeerLoaded(ILogger logger, string agent, int regionCount, string ucxVersion);

    [LoggerMessage(3307, LogLevel.Information, "NIXL agent {Agent} is gone: {Reason}")]
    public static partial void PeerGone(ILogger logger, string agent, string reason);

    [LoggerMessage(3308, LogLevel.Warning, "NIXL agent {Agent} sent a notification that is none: {Error}")]
    public static partial void NotificationMalformed(ILogger logger, string agent, string error);

    [LoggerMessage(3309, LogLevel.Warning, "{Count} notifications wait to be taken, the most allowed; one of {Agent} was dropped.")]
    public static partial void NotificationDropped(ILogger logger, int count, string agent);
}
