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

    /// <summary>Reserves room and grants a lease with <see cref="LeaseRights.Write"/> on it. An owner that takes no pushes refuses.</summary>
    ValueTask<PrepareReply> PrepareAsync(PeerMetadata peer, PrepareRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(PrepareReply.Refused(TransferError.Refused, "This agent prepares no room to write into; let it read instead."));

    /// <summary>A peer says something. The message is valid during the call only; false when nobody here takes such messages.</summary>
    ValueTask<bool> NotifiedAsync(PeerMetadata peer, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => ValueTask.FromResult(false);

    /// <summary>Answers a question that this layer carries unread.</summary>
    ValueTask<AskReply> AskAsync(PeerMetadata peer, ReadOnlyMemory<byte> question, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AskReply.Refused(TransferError.Refused, "This agent answers no such question."));
}
