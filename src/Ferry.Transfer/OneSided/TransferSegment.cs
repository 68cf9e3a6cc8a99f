namespace Ferry.Transfer.OneSided;

/// <summary>Consecutive pieces of a read that travel together: same lease, at most <see cref="TransferLimits.SegmentBytes"/>.</summary>
/// <param name="FirstDescriptor">Index of the descriptor that the first piece is of.</param>
/// <param name="SkippedBytes">Bytes of that descriptor that earlier segments carry.</param>
internal readonly record struct TransferSegment(int FirstDescriptor, long SkippedBytes, int PieceCount, int Bytes, ulong LeaseId, ulong Generation);
