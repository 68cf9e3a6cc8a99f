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
