using System.Buffers.Binary;

namespace Ferry.Kv.Hashing;

/// <summary>vLLM's hash of a full block of its prefix cache (<c>vllm/v1/core/kv_cache_utils.py</c>).</summary>
public abstract class VllmBlockHasher : ChunkHasher
{
    private protected VllmBlockHasher()
    {
    }

    /// <summary>Hash of the block that starts at token <paramref name="start"/> of a request with extra keys.</summary>
    /// <exception cref="ArgumentException">Embeddings that do not reach to the end of the block.</exception>
    public abstract ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens, BlockExtraKeys extraKeys, int start);

    /// <summary>Appends the hash of every full block of a prompt; vLLM never hashes an unfull one.</summary>
    /// <returns>Hashes appended.</returns>
    public int HashBlocks(ReadOnlySpan<int> tokens, int blockTokens, BlockExtraKeys extraKeys, List<ChunkHash> result)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockTokens, 1);
        ArgumentNullException.ThrowIfNull(extraKeys);
        ArgumentNullException.ThrowIfNull(result);
        var hash = Root;
        var blockCount = tokens.Length / blockTokens;
        for (var blockIndex = 0; blockIndex < blockCount; blockIndex++)
        {
            var start = blockIndex * blockTokens;
            hash = Next(hash, tokens.Slice(start, blockTokens), extraKeys, start);
            result.Add(hash);
        }
        return blockCount;
    }

    /// <summary>The short form in KV events: the last eight bytes as a big-endian number.</summary>
    public static ulong ToEventHash(in ChunkHash hash) => BinaryPrimitives.ReadUInt64BigEndian(hash.Bytes[^sizeof(ulong)..]);

    /// <summary>The key of a block in vLLM's block pool: the hash, then the KV cache group as big-endian u32.</summary>
    public static byte[] ToGroupKey(in ChunkHash hash, uint groupId)
    {
        var key = new byte[hash.ByteCount + sizeof(uint)];
        hash.CopyTo(key);
        BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(hash.ByteCount), groupId);
        return key;
    }
}
