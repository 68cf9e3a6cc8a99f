namespace Ferry.Transfer.Tcp;

/// <summary>One segment of one transfer, on its way through a stream.</summary>
internal readonly record struct TransferTicket(PostedTransfer Transfer, int SegmentIndex, ulong Correlation)
{
    public OneSided.TransferSegment Segment => Transfer.Plan.Segments[SegmentIndex];
}
