using Ferry.Transfer.OneSided;
using Ferry.Transfer.Wire;
using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.SideChannel;

/// <summary>Turns a request frame of a peer into a call of the handler, and its answer into a reply. Knows no medium.</summary>
/// <param name="describeRegion">How an own region is reached by a medium, or null.</param>
internal sealed class SideChannelServer(ISideChannelHandler handler, ILogger logger, Func<string, uint, RegionInfo?> describeRegion)
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
                FrameType.Prepare => await PrepareAsync(peer, payload, cancellationToken),
                FrameType.Notify => await NotifyAsync(peer, payload, cancellationToken),
                FrameType.Region => DescribeRegion(payload),
                FrameType.Ask => await AskAsync(peer, payload, cancellationToken),
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

    private async ValueTask<(FrameType, TransferError, ReadOnlyMemory<byte>)> PrepareAsync(
        PeerMetadata peer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (SideChannelCodec.DecodePrepare(payload.Span) is not { } request)
        {
            return Malformed(FrameType.PrepareReply);
        }
        var reply = await handler.PrepareAsync(peer, request, cancellationToken);
        if (reply.Error != TransferError.None)
        {
            return Refuse(FrameType.PrepareReply, reply.Error, reply.Message);
        }
        var encoded = SideChannelCodec.Encode(reply);
        return encoded.Fits
            ? (FrameType.PrepareReply, TransferError.None, encoded.Written.ToArray())
            : Refuse(FrameType.PrepareReply, TransferError.TooManyDescriptors, $"{reply.Places.Count} places do not fit one message. Ask for fewer pieces.");
    }

    private async ValueTask<(FrameType, TransferError, ReadOnlyMemory<byte>)> NotifyAsync(
        PeerMetadata peer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        payload.Length > Notification.BytesMax ? Refuse(FrameType.NotifyReply, TransferError.TooManyBytes, $"A notification has at most {Notification.BytesMax} bytes.")
            : await handler.NotifiedAsync(peer, payload, cancellationToken) ? (FrameType.NotifyReply, TransferError.None, default)
            : Refuse(FrameType.NotifyReply, TransferError.Refused, "This agent takes no notifications, or not this one.");

    private (FrameType, TransferError, ReadOnlyMemory<byte>) DescribeRegion(ReadOnlyMemory<byte> payload)
    {
        if (SideChannelCodec.DecodeRegionQuestion(payload.Span) is not var (medium, regionId))
        {
            return Malformed(FrameType.RegionReply);
        }
        return describeRegion(medium, regionId) is { } region
            ? (FrameType.RegionReply, TransferError.None, RegionInfoCodec.Encode(region).Written.ToArray())
            : Refuse(FrameType.RegionReply, TransferError.RegionUnknown, $"Region {regionId} is not registered here, or not reached by {medium}.");
    }

    private async ValueTask<(FrameType, TransferError, ReadOnlyMemory<byte>)> AskAsync(
        PeerMetadata peer, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var reply = await handler.AskAsync(peer, payload, cancellationToken);
        return reply.Error != TransferError.None
            ? Refuse(FrameType.AskReply, reply.Error, reply.Message)
            : reply.Answer.Length <= FrameHeader.PayloadBytesMax
                ? (FrameType.AskReply, TransferError.None, reply.Answer)
                : Refuse(FrameType.AskReply, TransferError.TooManyBytes, $"The answer has {reply.Answer.Length} bytes, over {FrameHeader.PayloadBytesMax}. Ask for less.");
    }

    private static (FrameType, TransferError, ReadOnlyMemory<byte>) Malformed(FrameType replyType) =>
        Refuse(replyType, TransferError.ProtocolViolation, "The request is malformed.");

    private static (FrameType, TransferError, ReadOnlyMemory<byte>) Refuse(FrameType type, TransferError error, string message) =>
        (type, error, SideChannelCodec.EncodeMessage(message).Written.ToArray());
}
