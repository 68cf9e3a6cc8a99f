using System.Net;
using Ferry.Cache.Remote.Clients;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>Events 5300 to 5319.</summary>
internal static partial class FrontLog
{
    [LoggerMessage(5300, LogLevel.Information, "The {Front} front listens on {Endpoint}{Security}.")]
    public static partial void Listening(ILogger logger, string front, EndPoint endpoint, string security);

    [LoggerMessage(5301, LogLevel.Warning, "The {Front} front listens on {Endpoint}, beyond this machine, and asks nobody for a password: whoever reaches it can read and change the cache.")]
    public static partial void OpenToAll(ILogger logger, string front, EndPoint endpoint);

    [LoggerMessage(5302, LogLevel.Warning, "The {Front} front could not accept a connection; it tries again in {Pause}.")]
    public static partial void AcceptFailed(ILogger logger, string front, TimeSpan pause, Exception exception);

    [LoggerMessage(5303, LogLevel.Warning, "The {Front} front has {ConnectionsMax} connections, its limit; {Peer} was turned away. Raise connectionsMax, or look for a client that does not close its connections.")]
    public static partial void LimitReached(ILogger logger, string front, int connectionsMax, EndPoint? peer);

    [LoggerMessage(5304, LogLevel.Debug, "{Front} connection of {Peer} ended: {Reason}.")]
    public static partial void ConnectionEnded(ILogger logger, string front, EndPoint? peer, FrontEnd reason);

    [LoggerMessage(5305, LogLevel.Error, "A {Front} connection of {Peer} failed.")]
    public static partial void ConnectionFailed(ILogger logger, string front, EndPoint? peer, Exception exception);

    [LoggerMessage(5306, LogLevel.Warning, "The {Front} front closes the connection of {Peer}: {Problem}")]
    public static partial void ProtocolBroken(ILogger logger, string front, EndPoint? peer, string problem);

    [LoggerMessage(5307, LogLevel.Warning, "The {Front} front refused a value of {ValueBytes} bytes of {Peer}: {Outcome}. Further refusals for this reason are only counted.")]
    public static partial void PutRefused(ILogger logger, string front, long valueBytes, EndPoint? peer, ClientPutOutcome outcome);
}
