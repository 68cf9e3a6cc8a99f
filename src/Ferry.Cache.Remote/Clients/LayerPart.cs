using Ferry.Cache.Records;
using Ferry.Kv.Conversion;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Shards of which one layer becomes one layer of what a client wants.</summary>
internal sealed record LayerPart(ChunkLease Chunk, LayerSlice Slice) : IDisposable
{
    public void Dispose() => Chunk.Dispose();
}
