using System.Buffers.Binary;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>What LMCache clients of one model put and expect, in LMCache's own bytes: KV_2LTD shards in bfloat16, two keys a chunk (facts of its redis connector).</summary>
/// <remarks>The truth is a function of layer, token, head and place: what any rank of any size must get follows from it, without the exchange's own code.</remarks>
internal static class LmCacheFleet
{
    public const string Model = "meta-llama/Llama-3.1-70b";
    public const int Layers = 3;
    public const int KvHeads = 8;
    public const int HeadDim = 16;
    public const int ChunkTokens = 64;
    public const string Cards = $"""
        models:
          - name: {Model}
            layers: 3
            kv_heads: 8
            head_dim: 16
            dtype: bfloat16
            chunk_size: 64
        """;

    /// <summary>The bytes of one rank's shard of a chunk: [2, layers, tokens, heads of the rank * head dim].</summary>
    public static byte[] Shard(int chunk, int worldSize, int rank)
    {
        var heads = KvHeads / worldSize;
        var bytes = new byte[2 * Layers * ChunkTokens * heads * HeadDim * 2];
        var at = 0;
        for (var part = 0; part < 2; part++)
        {
            for (var layer = 0; layer < Layers; layer++)
            {
                for (var token = 0; token < ChunkTokens; token++)
                {
                    for (var head = rank * heads; head < (rank + 1) * heads; head++)
                    {
                        for (var place = 0; place < HeadDim; place++)
                        {
                            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), Element(chunk, part, layer, token, head, place));
                            at += 2;
                        }
                    }
                }
            }
        }
        return bytes;
    }

    public static string Key(int chunk, int worldSize, int rank) => $"{Model}@{worldSize}@{rank}@{0x1000_0000 + (chunk * 7919):x16}@bfloat16";

    /// <summary>Puts every rank's shard as a client of that size does: the value, then its metadata.</summary>
    public static async Task PutAsync(IDatabase client, int chunk, int worldSize)
    {
        for (var rank = 0; rank < worldSize; rank++)
        {
            var (key, value) = (Key(chunk, worldSize, rank), Shard(chunk, worldSize, rank));
            Assert.True(await client.StringSetAsync(key + "kv_bytes", value));
            Assert.True(await client.StringSetAsync(key + "metadata", Metadata(value.Length, worldSize)));
        }
    }

    /// <summary>Gets every rank's shard as a client of that size does, and compares it with the truth.</summary>
    public static async Task AssertGetsAsync(IDatabase client, int chunk, int worldSize)
    {
        for (var rank = 0; rank < worldSize; rank++)
        {
            var (key, value) = (Key(chunk, worldSize, rank), Shard(chunk, worldSize, rank));
            Assert.True(await client.KeyExistsAsync(key + "metadata"), $"EXISTS {key}metadata");
            Assert.Equal(Metadata(value.Length, worldSize), (byte[]?)await client.StringGetAsync(key + "metadata"));
            Assert.Equal(value, (byte[]?)await client.StringGetAsync(key + "kv_bytes"));
        }
    }

    /// <summary>28 bytes: length, format KV_2LTD, dtype bfloat16, shape.</summary>
    private static byte[] Metadata(int valueBytes, int worldSize)
    {
        var bytes = new byte[28];
        int[] fields = [valueBytes, 1, 3, 2, Layers, ChunkTokens, KvHeads / worldSize * HeadDim];
        for (var index = 0; index < fields.Length; index++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(index * 4), fields[index]);
        }
        return bytes;
    }

    private static ushort Element(int chunk, int part, int layer, int token, int head, int place) =>
        (ushort)(0x3F80 + ((chunk * 31) + (part * 1009) + (layer * 499) + (token * 13) + (head * 97) + place) % 0x3000);
}
