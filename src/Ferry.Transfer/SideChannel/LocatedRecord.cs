namespace Ferry.Transfer.SideChannel;

/// <summary>Where one record (one rank's shard of one chunk, header included) lies.</summary>
/// <param name="ChunkIndex">Into <see cref="LocateRequest.Chunks"/>.</param>
/// <param name="Rank">The owner's tensor-parallel rank, 0-based.</param>
public readonly record struct LocatedRecord(int ChunkIndex, int Rank, uint RegionId, long Offset, long Bytes);
