namespace Ferry.Transfer.Reads;

/// <summary>Walks the pieces of one segment. A mutable struct so that a walk allocates nothing: keep it in a local or a field, never copy it midway.</summary>
internal struct ReadPieces(ReadOnlyMemory<ReadDescriptor> descriptors, ReadSegment segment)
{
    private int _index = -1;
    private long _bytesLeft = segment.Bytes;

    public ReadPiece Current { get; private set; }

    public bool MoveNext()
    {
        if (++_index >= segment.PieceCount)
        {
            return false;
        }
        ref readonly var descriptor = ref descriptors.Span[segment.FirstDescriptor + _index];
        var skipped = _index == 0 ? segment.SkippedBytes : 0;
        // Only the last piece can end before its descriptor does.
        var bytes = Math.Min(descriptor.Source.Bytes - skipped, _bytesLeft);
        _bytesLeft -= bytes;
        Current = new ReadPiece(
            descriptor.Source.RegionId, descriptor.Source.Offset + skipped, (int)bytes, descriptor.Target, descriptor.TargetOffset + skipped);
        return true;
    }
}
