namespace Ferry.Transfer.Reads;

/// <summary>The part of one descriptor that lies in one segment.</summary>
internal readonly record struct ReadPiece(uint RegionId, long Offset, int Bytes, MemoryRegion Target, long TargetOffset);
