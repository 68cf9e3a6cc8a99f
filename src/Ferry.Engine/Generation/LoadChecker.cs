using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;

namespace Ferry.Engine.Generation;

/// <summary>Whether what a load brought is what was asked for. KV of a wrong shape is never used.</summary>
internal static class LoadChecker
{
    /// <summary>Null when the chunks can be used, else what is wrong.</summary>
    /// <param name="localTokens">What the load was told that the engine has.</param>
    public static string? FindFault(KvLoadResult result, KvPool pool, int chunkTokens, int promptTokens, int localTokens)
    {
        var expected = -1;
        foreach (var chunk in result.Chunks)
        {
            if (expected < 0 && (chunk.FirstToken < 0 || chunk.FirstToken % chunkTokens != 0 || chunk.FirstToken > localTokens))
            {
                return $"the first chunk begins at token {chunk.FirstToken}; it must be a multiple of {chunkTokens} and at most {localTokens}";
            }
            if (expected >= 0 && chunk.FirstToken != expected)
            {
                return $"a chunk begins at token {chunk.FirstToken}; the one before ended at {expected}";
            }
            var end = (long)chunk.FirstToken + chunk.TokenCount;
            if (chunk.TokenCount < 1 || chunk.TokenCount > chunkTokens || end > promptTokens || (chunk.TokenCount < chunkTokens && end != promptTokens))
            {
                return $"the chunk at token {chunk.FirstToken} has {chunk.TokenCount} tokens, with {promptTokens} in the prompt and {chunkTokens} in a chunk";
            }
            if (chunk.RankPayloads.Count != pool.TensorParallelSize)
            {
                return $"the chunk at token {chunk.FirstToken} has {chunk.RankPayloads.Count} ranks, the pool {pool.TensorParallelSize}";
            }
            for (var rank = 0; rank < chunk.RankPayloads.Count; rank++)
            {
                var bytes = pool.RankLayout(rank, chunk.TokenCount).PayloadBytes;
                if (chunk.RankPayloads[rank].Length != bytes)
                {
                    return $"rank {rank} of the chunk at token {chunk.FirstToken} has {chunk.RankPayloads[rank].Length} bytes, not {bytes}";
                }
            }
            expected = (int)end;
        }
        return null;
    }
}
