namespace Ferry.Transfer.OneSided;

/// <summary>The part of one descriptor that lies in one segment.</summary>
/// <param name="RegionId">The peer's region.</param>
/// <param name="Offset">In the peer's region.</param>
internal readonly record struct TransferPiece(uint RegionId, long Offset, int Bytes, MemoryRegion Local, long LocalOffset);
