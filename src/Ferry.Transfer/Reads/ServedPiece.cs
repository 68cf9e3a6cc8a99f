namespace Ferry.Transfer.Reads;

/// <summary>A checked range that a peer asked for. The read that holds it holds a use of the region.</summary>
internal readonly record struct ServedPiece(MemoryRegion Region, long Offset, int Bytes);
