namespace Ferry.Transfer.Tcp;

/// <summary>One segment of one read, on its way through a stream.</summary>
internal readonly record struct ReadTicket(TcpRead Read, int SegmentIndex, ulong Correlation);
