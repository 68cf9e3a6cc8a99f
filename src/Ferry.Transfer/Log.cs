using Microsoft.Extensions.Logging;

namespace Ferry.Transfer;

/// <summary>Event ids 3000 to 3999; next free: 3015.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Information, "Agent {Identity} serves transfers and the side channel at {Endpoint}.")]
    public static partial void AgentStarted(ILogger logger, AgentIdentity identity, string endpoint);

    [LoggerMessage(3001, LogLevel.Error, "Answering {Call} of {Peer} failed.")]
    public static partial void HandlerFailed(ILogger logger, string call, AgentIdentity peer, Exception exception);

    [LoggerMessage(3002, LogLevel.Information, "Connected to {Peer} at {Endpoint}.")]
    public static partial void PeerConnected(ILogger logger, AgentIdentity peer, string endpoint);

    [LoggerMessage(3003, LogLevel.Warning, "Peer {Peer} is gone: {Outcome}.")]
    public static partial void PeerLost(ILogger logger, AgentIdentity peer, TransferOutcome outcome);

    [LoggerMessage(3004, LogLevel.Warning, "Connection from {Remote} refused: {Error}, {Message}")]
    public static partial void ConnectionRefused(ILogger logger, string remote, TransferError error, string message);

    [LoggerMessage(3005, LogLevel.Warning, "Connection from {Remote} closed: {Reason}")]
    public static partial void ConnectionClosed(ILogger logger, string remote, string reason);

    [LoggerMessage(3006, LogLevel.Information, "Peer {Peer} connected from {Remote}.")]
    public static partial void PeerAccepted(ILogger logger, AgentIdentity peer, string remote);

    [LoggerMessage(3007, LogLevel.Warning, "A {Kind} by {Peer} under lease {LeaseId} was refused: {Error}.")]
    public static partial void TransferRefused(ILogger logger, string kind, AgentIdentity peer, ulong leaseId, TransferError error);

    [LoggerMessage(3008, LogLevel.Error, "Accepting connections failed; the agent goes on in {Pause}.")]
    public static partial void AcceptFailed(ILogger logger, TimeSpan pause, Exception exception);

    [LoggerMessage(3009, LogLevel.Information, "Peer {Peer} from {Remote} left: {Reason}")]
    public static partial void PeerLeft(ILogger logger, AgentIdentity peer, string remote, string reason);

    [LoggerMessage(3010, LogLevel.Error, "A connection from {Remote} ended by an error of this process.")]
    public static partial void ConnectionFaulted(ILogger logger, string remote, Exception exception);

    [LoggerMessage(3011, LogLevel.Error, "The bytes of a write by {Peer} could not be fetched: {Reason}")]
    public static partial void FetchFailed(ILogger logger, AgentIdentity peer, string reason);

    [LoggerMessage(3013, LogLevel.Warning, "VLLM_NIXL_SIDE_CHANNEL_HOST is {Host}, which resolves to {Address} here: no other host can connect. Give the node's address in its network; /etc/hosts often maps a host's own name to loopback.")]
    public static partial void HostIsLoopback(ILogger logger, string host, string address);

    [LoggerMessage(3012, LogLevel.Information, "Bytes of {Peer} travel by {Medium}: {Reason}.")]
    public static partial void MediumChosen(ILogger logger, AgentIdentity peer, string medium, string reason);

    [LoggerMessage(3014, LogLevel.Error, "A connection to {Remote} ended by an error of this process.")]
    public static partial void StreamFaulted(ILogger logger, string remote, Exception exception);
}
