using Ferry.Kv.Hashing;

namespace Ferry.Transfer.SideChannel;

/// <summary>One record that a writer wants room for.</summary>
/// <param name="Chunk">Whose bytes they will be.</param>
/// <param name="Rank">The writer's tensor-parallel rank, 0-based.</param>
/// <param name="Bytes">Of the record, header included; at least 1.</param>
public readonly record struct PreparedPiece(ChunkHash Chunk, int Rank, long Bytes);
