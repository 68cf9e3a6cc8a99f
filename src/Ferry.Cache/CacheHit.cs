using Ferry.Cache.Records;
using Ferry.Cache.Tiers;

namespace Ferry.Cache;

/// <summary>A chunk that was found. The holder disposes it.</summary>
/// <param name="Tier">The tier it was read from, or null when memory had it.</param>
public sealed record CacheHit(ChunkLease Chunk, GuardedTier? Tier) : IDisposable
{
    public void Dispose() => Chunk.Dispose();
}
