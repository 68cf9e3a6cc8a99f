using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.Ucx;

/// <summary>Event ids 3100 to 3149; next free: 3109.</summary>
internal static partial class UcxLog
{
    [LoggerMessage(3100, LogLevel.Error, "Something called by UCX failed.")]
    public static partial void CallbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(3101, LogLevel.Error, "The thread of a UCX worker has ended by an error; its peers are lost.")]
    public static partial void WorkerFailed(ILogger logger, Exception exception);

    [LoggerMessage(3102, LogLevel.Error, "UCX still has {OperationCount} operations under way {Patience} after its worker was closed.")]
    public static partial void NotDrained(ILogger logger, int operationCount, TimeSpan patience);

    [LoggerMessage(3103, LogLevel.Warning, "A UCX message {Id} of {Bytes} bytes was dropped: it is not eager.")]
    public static partial void MessageDropped(ILogger logger, uint id, long bytes);

    [LoggerMessage(3104, LogLevel.Information, "UCX {Release} from {Path} carries KV, UCX_TLS={Transports}: {Resources}.")]
    public static partial void Started(ILogger logger, string release, string path, string transports, string resources);

    [LoggerMessage(3105, LogLevel.Information, "UCX reaches {Peer} by {Lanes}.")]
    public static partial void Connected(ILogger logger, AgentIdentity peer, string lanes);

    [LoggerMessage(3106, LogLevel.Warning, "UCX has lost {Peer}: {Status}.")]
    public static partial void PeerFailed(ILogger logger, AgentIdentity peer, string status);

    [LoggerMessage(3107, LogLevel.Warning, "UCX's address of this process has {Bytes} bytes, too many for the handshake: peers do not reach it by UCX. Name fewer devices in UCX_NET_DEVICES.")]
    public static partial void AddressTooLong(ILogger logger, int bytes);

    [LoggerMessage(3108, LogLevel.Warning, "Region {RegionId} of {Bytes} bytes is not reached by UCX: {Reason}")]
    public static partial void RegionNotMapped(ILogger logger, uint regionId, long bytes, string reason);
}
