using MessagePack;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>Asks a vLLM instance, or a Ferry node that speaks as one, for the metadata of a worker.</summary>
public static class HandshakeClient
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    // An empty delimiter, the answer, and since connector version 5 the peer's clock.
    private const int AnswerFramesMax = 3;

    /// <summary>Shakes hands. Ask only for ranks that the peer has: a vLLM listener dies of others.</summary>
    /// <param name="endpoint"><c>tcp://host:port</c>.</param>
    /// <param name="expectedEngineId">The request's <c>remote_engine_id</c>; null to accept any.</param>
    /// <param name="compatibilityHash">The own; null when there is nothing to compare with.</param>
    public static Task<HandshakeResult> AskAsync(
        string endpoint, MetadataQuestion question, string? expectedEngineId, string? compatibilityHash, HandshakeOptions options,
        CancellationToken cancellationToken) =>
        // A socket belongs to one thread and its calls block, so each handshake runs on a thread of its own, in short steps.
        Task.Factory.StartNew(() => Ask(endpoint, question, expectedEngineId, compatibilityHash, options, cancellationToken),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static HandshakeResult Ask(
        string endpoint, MetadataQuestion question, string? expectedEngineId, string? compatibilityHash, HandshakeOptions options,
        CancellationToken cancellationToken)
    {
        var time = options.Time;
        try
        {
            using var socket = new DealerSocket();
            socket.Options.Linger = TimeSpan.Zero;
            socket.Options.MaxMsgSize = HandshakeCodec.PayloadBytesMax;
            socket.Connect(endpoint);
            var sent = time.GetTimestamp();
            socket.SendMoreFrameEmpty().SendFrame(HandshakeCodec.Encode(question));
            byte[]? first;
            bool more;
            while (!socket.TryReceiveFrameBytes(Step, out first, out more))
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    return Failed(TransferPhase.Handshake, TransferSide.Local, TransferError.Cancelled, $"The handshake with {endpoint} was cancelled.");
                }
                if (time.GetElapsedTime(sent) > options.AnswerWithin)
                {
                    return Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.TimedOut,
                        $"{endpoint} did not answer within {options.AnswerWithin}: no listener, or one that died of a rank it did not have.");
                }
            }
            List<byte[]> frames = [first!];
            while (more)
            {
                var frame = socket.ReceiveFrameBytes(out more);
                if (frames.Count <= AnswerFramesMax) { frames.Add(frame); }
            }
            var received = time.GetTimestamp();
            return Judge(frames, endpoint, expectedEngineId, compatibilityHash, options,
                (sent + received) / 2.0 / time.TimestampFrequency);
        }
        catch (NetMQException exception)
        {
            return Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.Unreachable, $"{endpoint}: {exception.Message}");
        }
    }

    private static HandshakeResult Judge(
        List<byte[]> frames, string endpoint, string? expectedEngineId, string? compatibilityHash, HandshakeOptions options, double middleSeconds)
    {
        if (frames.Count is not (2 or 3) || frames[0].Length != 0)
        {
            return Malformed(endpoint, $"an answer of {frames.Count} frames");
        }
        if (!HandshakeCodec.TryDecode(frames[1], out HandshakePayload? payload, out var error))
        {
            return Malformed(endpoint, error);
        }
        var isUnlike = compatibilityHash is not null && payload.CompatibilityHash.Length > 0
            && !string.Equals(payload.CompatibilityHash, compatibilityHash, StringComparison.Ordinal);
        if (isUnlike)
        {
            var message = $"NIXL compatibility hash mismatch with {endpoint}. Local: {compatibilityHash}, remote: {payload.CompatibilityHash}. Prefill and decode differ in "
                + "vLLM version, model name, dtype, KV heads, head size, layers, attention backend or KV cache dtype. MI300X and Gaudi3 always differ in the attention "
                + "backend: set kv_connector_extra_config.enforce_handshake_compat=false there, once everything else is known to agree.";
            if (options.EnforceCompatibility)
            {
                return Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.VersionMismatch, message) with { CompatibilityHash = payload.CompatibilityHash };
            }
            NixlLog.HandshakeRefused(options.Logger, $"{message} It is not enforced here, so the handshake goes on.");
        }
        if (!HandshakeCodec.TryDecode(payload.AgentMetadata, out VllmAgentMetadata? metadata, out error))
        {
            return Malformed(endpoint, error);
        }
        if (expectedEngineId is not null && !string.Equals(metadata.EngineId, expectedEngineId, StringComparison.Ordinal))
        {
            return Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.Refused,
                $"Remote NIXL agent engine ID mismatch. Expected {expectedEngineId}, received {metadata.EngineId} from {endpoint}: remote_host or remote_port leads to "
                + "another node, or VLLM_NIXL_SIDE_CHANNEL_HOST is unset there, so that it advertises localhost.");
        }
        return new HandshakeResult(TransferOutcome.Success(TransferPhase.Handshake), metadata, payload.CompatibilityHash,
            frames.Count == 3 ? OffsetOf(frames[2], middleSeconds) : null);
    }

    /// <summary>Null for a clock that is none: it is of no more than statistical use.</summary>
    private static TimeSpan? OffsetOf(byte[] frame, double middleSeconds)
    {
        var seconds = double.NaN;
        var error = HandshakeCodec.Guard(() =>
        {
            var reader = new MessagePackReader(frame);
            seconds = reader.ReadDouble();
            return null;
        });
        var offset = seconds - middleSeconds;
        return error is null && Math.Abs(offset) < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(offset) : null;
    }

    private static HandshakeResult Malformed(string endpoint, string what) =>
        Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.ProtocolViolation, $"The answer of {endpoint} is none: {what}.");

    private static HandshakeResult Failed(TransferPhase phase, TransferSide side, TransferError error, string message) =>
        new(TransferOutcome.Failed(phase, side, error, message), null, string.Empty, null);
}
