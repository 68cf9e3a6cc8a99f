namespace Ferry.Transfer.OneSided;

/// <summary>Walks the pieces of one segment. A mutable struct so that a walk allocates nothing: keep it in a local or a field, never copy it midway.</summary>
internal struct TransferPieces(ReadOnlyMemory<TransferDescriptor> descriptors, TransferSegment segment)
{
    private int _index = -1;
    private long _bytesLeft = segment.Bytes;

    public TransferPiece Current { get; private set; }

    public bool MoveNext()
    {
        if (++_index >= segment.PieceCount)
        {
            return false;
        }
        ref readonly var descriptor = ref descriptors.Span[segment.FirstDescriptor + _index];
        var skipped = _index == 0 ? segment.SkippedBytes : 0;
        // Only the last piece can end before its descriptor does.
        var bytes = Math.Min(descriptor.Remote.Bytes - skipped, _bytesLeft);
        _bytesLeft -= bytes;
        Current = new TransferPiece(
            descriptor.Remote.RegionId, descriptor.Remote.Offset + skipped, (int)bytes, descriptor.Local, descriptor.LocalOffset + skipped);
        return true;
    }
}
