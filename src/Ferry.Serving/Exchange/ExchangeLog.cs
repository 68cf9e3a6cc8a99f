using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange;

/// <summary>Events 7500 to 7549.</summary>
internal static partial class ExchangeLog
{
    [LoggerMessage(7500, LogLevel.Information, "KV exchange {EngineId}: {Description}")]
    public static partial void Started(ILogger logger, string engineId, string description);

    [LoggerMessage(7501, LogLevel.Warning, "Request {RequestId} asked for KV of {Peer}, but none moved: {Reason}. The prompt is computed here.")]
    public static partial void HandoverMissed(ILogger logger, string requestId, string peer, string reason);

    [LoggerMessage(7502, LogLevel.Warning, "A KV record of chunk {Chunk} from {Source} is damaged ({Error}); it is dropped and the chunk computed.")]
    public static partial void RecordDamaged(ILogger logger, string chunk, string source, string error);

    [LoggerMessage(7503, LogLevel.Warning, "Request {RequestId} finished its prefill for a decode node, but there was no room to hold its KV: {Tokens} of {PromptTokens} tokens are lent. Raise the exchange's memory.")]
    public static partial void LentInPart(ILogger logger, string requestId, int tokens, int promptTokens);

    [LoggerMessage(7504, LogLevel.Warning, "The KV lease of request {RequestId} ran out before the decode node had fetched it; {Tokens} tokens are no longer held for it.")]
    public static partial void LeaseExpired(ILogger logger, string requestId, int tokens);

    [LoggerMessage(7505, LogLevel.Warning, "Request {RequestId} asked to lend its KV (do_remote_decode), but this node has no transfer agent; it answers without kv_transfer_params.")]
    public static partial void CannotLend(ILogger logger, string requestId);

    [LoggerMessage(7507, LogLevel.Error, "Loading KV for request {RequestId} failed; the prompt is computed instead.")]
    public static partial void LoadFailed(ILogger logger, string requestId, Exception error);

    [LoggerMessage(7508, LogLevel.Debug, "Request {RequestId}: {Tokens} tokens from {Source}, {BytesMoved} bytes moved, {BytesConverted} converted.")]
    public static partial void Loaded(ILogger logger, string requestId, int tokens, string source, long bytesMoved, long bytesConverted);

    [LoggerMessage(7510, LogLevel.Debug, "Telling {Peer} that its KV is no longer wanted failed; its lease runs out by itself.")]
    public static partial void ReleaseFailed(ILogger logger, string peer, Exception error);

    [LoggerMessage(7511, LogLevel.Warning, "Peers are told to dial {Host}, which is every address and none: they would dial themselves. Set VLLM_NIXL_SIDE_CHANNEL_HOST to an address of this node, or let the router replace remote_host.")]
    public static partial void AdvertisesEveryAddress(ILogger logger, string host);

    [LoggerMessage(7512, LogLevel.Warning, "Request {RequestId} is not pushed to {Peer} any further: {Reason}. The decode node pulls what it lacks.")]
    public static partial void PushStopped(ILogger logger, string requestId, string peer, string reason);

    [LoggerMessage(7513, LogLevel.Debug, "Request {RequestId}: {Peer} takes no more of what is pushed: {Reason}")]
    public static partial void PushNotWanted(ILogger logger, string requestId, string peer, string reason);

    [LoggerMessage(7514, LogLevel.Error, "Pushing request {RequestId} to {Peer} failed; the decode node pulls it.")]
    public static partial void PushFailed(ILogger logger, string requestId, string peer, Exception error);

    [LoggerMessage(7509, LogLevel.Warning, "KV that {Source} holds cannot be converted to this node's layout and is not used: {Reason}")]
    public static partial void NoConversion(ILogger logger, string source, string reason);
}
