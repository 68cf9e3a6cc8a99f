using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer;

/// <summary>A connection to one generation of one peer. A peer that restarts is another peer: connect again.</summary>
/// <remarks>Thread-safe. Disposing fails what is in flight with <see cref="TransferError.Closed"/> and waits for it.</remarks>
public interface ITransferPeer : IAsyncDisposable
{
    /// <summary>What the peer said of itself in the handshake.</summary>
    PeerMetadata Remote { get; }

    /// <summary>Ends, with the reason, when the peer is dead, has closed or was disposed. Never faults.</summary>
    Task<TransferOutcome> Closed { get; }

    /// <summary>Asks where the records of chunks lie and for a lease on them.</summary>
    Task<LocateResult> LocateAsync(LocateRequest request, CancellationToken cancellationToken);

    /// <summary>Asks for more time. The answer says for each lease how much is left.</summary>
    Task<ExtendResult> ExtendAsync(ExtendRequest request, CancellationToken cancellationToken);

    /// <summary>Says that a request's bytes are no longer wanted.</summary>
    Task<TransferOutcome> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Reads every descriptor's bytes into registered local memory. Success means that all of them are there and that every lease was
    /// alive until the last of its bytes had left; after anything else the local ranges hold nothing usable. Once the task has ended
    /// (cancelled too) nothing writes to the local ranges any more.
    /// </summary>
    /// <param name="descriptors">Held until the task ends; the caller must not change it meanwhile.</param>
    Task<TransferOutcome> ReadAsync(ReadOnlyMemory<ReadDescriptor> descriptors, CancellationToken cancellationToken);
}
