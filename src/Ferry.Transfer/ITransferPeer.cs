using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer;

/// <summary>A connection to one generation of one peer. A peer that restarts is another peer: connect again.</summary>
/// <remarks>Thread-safe. Disposing fails what is in flight with <see cref="TransferError.Closed"/> and waits for it.</remarks>
public interface ITransferPeer : IAsyncDisposable
{
    /// <summary>The longest question or answer of <see cref="AskAsync"/>.</summary>
    const int AskBytesMax = Wire.FrameHeader.PayloadBytesMax;

    /// <summary>What the peer said of itself in the handshake.</summary>
    PeerMetadata Remote { get; }

    /// <summary>What carries the bytes, and why.</summary>
    MediumChoice Medium { get; }

    /// <summary>Ends, with the reason, when the peer is dead, has closed or was disposed. Never faults.</summary>
    Task<TransferOutcome> Closed { get; }

    /// <summary>Asks where the records of chunks lie and for a lease on them.</summary>
    Task<LocateResult> LocateAsync(LocateRequest request, CancellationToken cancellationToken);

    /// <summary>Asks for room to write records into, under a write lease.</summary>
    Task<PrepareResult> PrepareAsync(PrepareRequest request, CancellationToken cancellationToken);

    /// <summary>Asks for more time. The answer says for each lease how much is left.</summary>
    Task<ExtendResult> ExtendAsync(ExtendRequest request, CancellationToken cancellationToken);

    /// <summary>Says that a request's bytes are no longer wanted, or that all of them have been written.</summary>
    Task<TransferOutcome> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken);

    /// <summary>Asks the peer's owner something that this layer carries unread; at most <see cref="AskBytesMax"/> bytes either way.</summary>
    Task<AskResult> AskAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken) =>
        Task.FromResult(new AskResult(TransferOutcome.Failed(
            TransferPhase.SideChannel, TransferSide.Local, TransferError.Refused, "This peer carries no questions."), default));

    /// <summary>
    /// Tells the peer's owner something; success means that its handler has taken it. A notification sent after a transfer's success finds
    /// the bytes of that transfer in place.
    /// </summary>
    /// <param name="message">At most <see cref="Notification.BytesMax"/> bytes, whose meaning is the two owners' business.</param>
    Task<TransferOutcome> NotifyAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>
    /// Reads every descriptor's bytes into registered local memory. Success means that all of them are there and that every lease was
    /// alive until the last of its bytes had left; after anything else the local ranges hold nothing usable. Once the task has ended
    /// (cancelled too) nothing writes to the local ranges any more.
    /// </summary>
    /// <param name="descriptors">Held until the task ends; the caller must not change it meanwhile.</param>
    Task<TransferOutcome> ReadAsync(ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken);

    /// <summary>
    /// Writes every descriptor's bytes from registered local memory into ranges that the peer has prepared under a write lease. Success
    /// means that all of them are in place there and that the lease was alive until then; after anything else the peer's ranges hold
    /// nothing usable. Once the task has ended nothing reads the local ranges any more.
    /// </summary>
    /// <param name="descriptors">Held until the task ends; the caller must not change it, nor the bytes, meanwhile.</param>
    Task<TransferOutcome> WriteAsync(ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken);
}
