namespace Ferry.Transfer.SideChannel;

/// <summary>For an agent that only reads: it holds nothing for others.</summary>
public sealed class RefusingHandler : ISideChannelHandler
{
    public static RefusingHandler Instance { get; } = new();

    public ValueTask<LocateReply> LocateAsync(PeerMetadata peer, LocateRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(LocateReply.Refused(TransferError.NotFound, "This agent holds no records."));

    public ValueTask<IReadOnlyList<TimeSpan>> ExtendAsync(PeerMetadata peer, ExtendRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<TimeSpan>>(new TimeSpan[request.Holds.Count]);

    public ValueTask ReleaseAsync(PeerMetadata peer, ReleaseRequest request, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
