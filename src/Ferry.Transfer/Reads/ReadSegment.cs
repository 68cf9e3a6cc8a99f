namespace Ferry.Transfer.Reads;

/// <summary>Consecutive pieces of a read that travel together: same lease, at most <see cref="ReadLimits.SegmentBytes"/>.</summary>
/// <param name="FirstDescriptor">Index of the descriptor that the first piece is of.</param>
/// <param name="SkippedBytes">Bytes of that descriptor that earlier segments carry.</param>
internal readonly record struct ReadSegment(int FirstDescriptor, long SkippedBytes, int PieceCount, int Bytes, ulong LeaseId, ulong Generation);
