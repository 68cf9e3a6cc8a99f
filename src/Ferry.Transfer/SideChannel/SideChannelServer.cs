using Ferry.Transfer.Wire;
using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.SideChannel;

/// <summary>Turns a request frame of a peer into a call of the handler, and its answer into a reply. Knows no medium.</summary>
internal sealed class SideChannelServer(ISideChannelHandler handler, ILogger logger)
{
    /// <summary>
    /// Answers one request with type, status and payload of the reply. Status <see cref="TransferError.ProtocolViolation"/> means that
    /// the peer does not speak the protocol.
    /// </summary>
    public async ValueTask<(FrameType Type, TransferError Status, ReadOnlyMemory<byte> Payload)> AnswerAsync(
        PeerMetadata peer, FrameType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var replyType = type + 1;
        try
        {
            return type switch
            {
                FrameType.Ping when payload.IsEmpty => (FrameType.Pong, TransferError.None, default),
                FrameType.Locate => await LocateAsync(peer, payload, cancellationToken),
                FrameType.Extend => await ExtendAsync(peer, payload, cancellationToken),
                FrameType.Release => await ReleaseAsync(peer, payload, cancellationToken),
                _ => Refuse(replyType, TransferError.ProtocolViolation, $"{type} is not a request."),
            };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Refuse(replyType, TransferError.InternalError, "The owner closes.");
        }
#pragma warning disable CA1031 // The edge of a request: whatever the owner's code throws must reach neither the loop nor the peer.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.HandlerFailed(logger, type.ToString(), peer.Identity, exception);
            return Refuse(replyType, TransferError.InternalError, "The owner failed to answer; its log says why.");
        }
    }

    private async ValueTask<(FrameType, TransferError, ReadOnlyMemory<byte>)> LocateAsync(
        PeerMetadata peer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (SideChannelCodec.DecodeLocate(payload.Span) is not { } request)
        {
            return Malformed(FrameType.LocateReply);
        }
        var reply = await handler.LocateAsync(peer, request, cancellationToken);
        if (reply.Error != TransferError.None)
        {
            return Refuse(FrameType.LocateReply, reply.Error, reply.Message);
        }
        var encoded = SideChannelCodec.Encode(reply);
        return encoded.Fits
            ? (FrameType.LocateReply, TransferError.None, encoded.Written.ToArray())
            : Refuse(FrameType.LocateReply, TransferError.TooManyDescriptors, $"{reply.Records.Count} records do not fit one message. Ask for fewer chunks.");
    }

    private async ValueTask<(FrameType, TransferError, ReadOnlyMemory<byte>)> ExtendAsync(
        PeerMetadata peer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (SideChannelCodec.DecodeExtend(payload.Span) is not { } request)
        {
            return Malformed(FrameType.ExtendReply);
        }
        var left = await handler.ExtendAsync(peer, request, cancellationToken);
        return (FrameType.ExtendReply, TransferError.None, SideChannelCodec.EncodeLeft(left).Written.ToArray());
    }

    private async ValueTask<(FrameType, TransferError, ReadOnlyMemory<byte>)> ReleaseAsync(
        PeerMetadata peer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (SideChannelCodec.DecodeRelease(payload.Span) is not { } request)
        {
            return Malformed(FrameType.ReleaseReply);
        }
        await handler.ReleaseAsync(peer, request, cancellationToken);
        return (FrameType.ReleaseReply, TransferError.None, default);
    }

    private static (FrameType, TransferError, ReadOnlyMemory<byte>) Malformed(FrameType replyType) =>
        Refuse(replyType, TransferError.ProtocolViolation, "The request is malformed.");

    private static (FrameType, TransferError, ReadOnlyMemory<byte>) Refuse(FrameType type, TransferError error, string message) =>
        (type, error, SideChannelCodec.EncodeMessage(message).Written.ToArray());
}
