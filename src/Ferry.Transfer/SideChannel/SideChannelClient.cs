using Ferry.Transfer.OneSided;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.SideChannel;

/// <summary>The typed calls of a peer on top of whatever carries frames.</summary>
/// <param name="call">Sends one request and awaits its reply; never throws.</param>
internal sealed class SideChannelClient(Func<FrameType, ReadOnlyMemory<byte>, CancellationToken, Task<CallReply>> call)
{
    public async Task<LocateResult> LocateAsync(LocateRequest request, CancellationToken cancellationToken)
    {
        var reply = await SendAsync(FrameType.Locate, SideChannelCodec.Encode(request), cancellationToken);
        if (!reply.Outcome.IsSuccess)
        {
            return new LocateResult(reply.Outcome, null);
        }
        var located = SideChannelCodec.DecodeLocateReply(reply.Payload);
        if (located is null || located.Records.Any(record => record.ChunkIndex >= request.Chunks.Count))
        {
            return new LocateResult(Malformed(FrameType.LocateReply), null);
        }
        return new LocateResult(reply.Outcome, located);
    }

    public async Task<PrepareResult> PrepareAsync(PrepareRequest request, CancellationToken cancellationToken)
    {
        if (request.Pieces.FirstOrDefault(piece => piece.Bytes < 1 || piece.Rank is < 0 or >= KvDescription.RankCountMax) is { Chunk.ByteCount: > 0 } wrong)
        {
            return new PrepareResult(TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.OutOfRange,
                $"A piece of {wrong.Bytes} bytes of rank {wrong.Rank} cannot be prepared; it has at least 1 byte and a rank below {KvDescription.RankCountMax}."), null);
        }
        var reply = await SendAsync(FrameType.Prepare, SideChannelCodec.Encode(request), cancellationToken);
        if (!reply.Outcome.IsSuccess)
        {
            return new PrepareResult(reply.Outcome, null);
        }
        var prepared = SideChannelCodec.DecodePrepareReply(reply.Payload);
        var fits = prepared is not null && prepared.Places.All(
            place => place.ChunkIndex < request.Pieces.Count && place.Bytes == request.Pieces[place.ChunkIndex].Bytes);
        return fits ? new PrepareResult(reply.Outcome, prepared) : new PrepareResult(Malformed(FrameType.PrepareReply), null);
    }

    public async Task<TransferOutcome> NotifyAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        message.Length > Notification.BytesMax
            ? TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.TooManyBytes,
                $"A notification has at most {Notification.BytesMax} bytes, not {message.Length}.")
            : (await call(FrameType.Notify, message, cancellationToken)).Outcome;

    /// <summary>How a region of the peer is reached by a medium.</summary>
    public async Task<RegionResult> DescribeRegionAsync(string medium, uint regionId, CancellationToken cancellationToken)
    {
        var reply = await SendAsync(FrameType.Region, SideChannelCodec.EncodeRegionQuestion(medium, regionId), cancellationToken);
        return !reply.Outcome.IsSuccess ? new RegionResult(reply.Outcome, null)
            : RegionInfoCodec.Decode(reply.Payload) is { } region ? new RegionResult(reply.Outcome, region)
            : new RegionResult(Malformed(FrameType.RegionReply), null);
    }

    public async Task<ExtendResult> ExtendAsync(ExtendRequest request, CancellationToken cancellationToken)
    {
        var reply = await SendAsync(FrameType.Extend, SideChannelCodec.Encode(request), cancellationToken);
        if (!reply.Outcome.IsSuccess)
        {
            return new ExtendResult(reply.Outcome, []);
        }
        return SideChannelCodec.DecodeLeft(reply.Payload) is { } left && left.Length == request.Holds.Count
            ? new ExtendResult(reply.Outcome, left)
            : new ExtendResult(Malformed(FrameType.ExtendReply), []);
    }

    public async Task<TransferOutcome> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        (await SendAsync(FrameType.Release, SideChannelCodec.Encode(request), cancellationToken)).Outcome;

    public async Task<AskResult> AskAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        if (question.Length > FrameHeader.PayloadBytesMax)
        {
            return new AskResult(TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.TooManyBytes,
                $"The question has {question.Length} bytes, over {FrameHeader.PayloadBytesMax}."), default);
        }
        var reply = await call(FrameType.Ask, question, cancellationToken);
        return new AskResult(reply.Outcome, reply.Payload);
    }

    /// <summary>What a refusing reply means.</summary>
    public static TransferOutcome Refusal(TransferPhase phase, TransferError status, ReadOnlySpan<byte> payload) =>
        TransferOutcome.Failed(phase, TransferSide.Remote, status, SideChannelCodec.DecodeMessage(payload));

    private async Task<CallReply> SendAsync(FrameType type, WireWriter payload, CancellationToken cancellationToken) =>
        payload.Fits
            ? await call(type, payload.Written.ToArray(), cancellationToken)
            : new CallReply(TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.TooManyDescriptors,
                $"The {type} request has over {FrameHeader.PayloadBytesMax} bytes. Split it."), []);

    private static TransferOutcome Malformed(FrameType type) => TransferOutcome.Failed(
        TransferPhase.SideChannel, TransferSide.Remote, TransferError.ProtocolViolation, $"The peer's {type} is malformed.");
}
