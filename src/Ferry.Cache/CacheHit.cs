using Ferry.Cache.Records;

namespace Ferry.Cache;

/// <summary>A chunk that was found. The holder disposes it.</summary>
/// <param name="Tier">Name of the tier it was read from, or null when memory had it.</param>
public sealed record CacheHit(ChunkLease Chunk, string? Tier) : IDisposable
{
    public void Dispose() => Chunk.Dispose();
}
