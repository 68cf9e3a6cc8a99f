namespace Ferry.Transfer.SideChannel;

/// <summary>The owner's side of the side channel: the exchange, which knows keys, records and requests.</summary>
/// <remarks>
/// Called from any thread and for many peers at once. A thrown exception becomes <see cref="TransferError.InternalError"/> at the peer and
/// a line in the log. The same call may come twice (a peer that lost the answer asks again).
/// </remarks>
public interface ISideChannelHandler
{
    /// <summary>Finds the records and grants a lease on them in the agent's <see cref="ITransferAgent.Leases"/>.</summary>
    ValueTask<LocateReply> LocateAsync(PeerMetadata peer, LocateRequest request, CancellationToken cancellationToken);

    /// <summary>Keeps requests and leases alive. Returns what is left of each hold, in order; zero for one that has ended.</summary>
    ValueTask<IReadOnlyList<TimeSpan>> ExtendAsync(PeerMetadata peer, ExtendRequest request, CancellationToken cancellationToken);

    /// <summary>Lets go. Unknown requests and leases are not an error: they may have run out.</summary>
    ValueTask ReleaseAsync(PeerMetadata peer, ReleaseRequest request, CancellationToken cancellationToken);
}
