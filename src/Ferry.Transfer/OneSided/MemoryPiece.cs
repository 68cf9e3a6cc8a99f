namespace Ferry.Transfer.OneSided;

/// <summary>A range of own memory that bytes leave or enter. Whoever holds it holds a use of the region.</summary>
internal readonly record struct MemoryPiece(MemoryRegion Region, long Offset, int Bytes);
