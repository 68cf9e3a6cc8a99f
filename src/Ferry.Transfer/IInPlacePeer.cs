using Ferry.Transfer.OneSided;

namespace Ferry.Transfer;

/// <summary>A peer that may hold ranges of its memory while this process reads them in its own way, rather than copy them once.</summary>
internal interface IInPlacePeer : ITransferPeer
{
    /// <summary>How [offset, offset + bytes) of a region of the peer is reached, or why it is not. Maps the region if it can be.</summary>
    Task<(InPlaceReach Reach, TransferOutcome? Failure)> ReachAsync(uint regionId, long offset, long bytes, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="ITransferPeer.ReadAsync"/>: success means that the lease of the ranges was alive until the last of their bytes had been read.
    /// </summary>
    /// <param name="held">
    /// Ranges of one lease and region, together at most <see cref="TransferLimits.SegmentBytesMax"/> bytes and
    /// <see cref="TransferLimits.SegmentDescriptorCountMax"/> pieces. Their near end is the region that is written to; their offsets there mean nothing.
    /// </param>
    Task<TransferOutcome> ReadInPlaceAsync(ReadOnlyMemory<TransferDescriptor> held, InPlaceRead reading, CancellationToken cancellationToken);
}
