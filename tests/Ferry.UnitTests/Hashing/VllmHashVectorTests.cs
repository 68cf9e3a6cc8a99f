using System.Text.Json;
using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

/// <summary>All 45 recorded cases of vLLM's block hashes.</summary>
public sealed class VllmHashVectorTests
{
    public static TheoryData<int> CborCases { get; } = Cases(pickle: false);

    public static TheoryData<int> PickleCases { get; } = Cases(pickle: true);

    [Fact]
    public void Vectors_AllCases_AreCoveredByOneOfTheTheories()
    {
        Assert.Equal(45, HashVectors.Vllm.Length);
        Assert.Equal(45, CborCases.Count + PickleCases.Count);
        Assert.True(CborCases.Count >= 20);
    }

    [Theory]
    [MemberData(nameof(CborCases))]
    public void HashBlocks_RecordedCase_GivesTheRecordedHashesAndEventForms(int index)
    {
        var vector = HashVectors.Vllm[index];
        var hasher = (VllmBlockHasher)ChunkHasher.Create(
            "vllm-" + vector.GetProperty("hash_algorithm").GetString(), HashVectors.Text(vector, "pythonhashseed"));
        int[] tokens = [.. HashVectors.Tokens(vector).Select(token => (int)token)];
        var hashes = new List<ChunkHash>();

        var count = hasher.HashBlocks(tokens, vector.GetProperty("block_size").GetInt32(), ExtraKeys(vector), hashes);

        var blocks = vector.GetProperty("blocks").EnumerateArray().ToArray();
        Assert.Equal(vector.GetProperty("none_hash_hex").GetString(), hasher.Root.ToString());
        Assert.Equal(blocks.Length, count);
        Assert.Equal(blocks.Select(block => block.GetProperty("hash_hex").GetString()), hashes.Select(hash => hash.ToString()));
        Assert.Equal(blocks.Select(block => block.GetProperty("event_int64").GetUInt64()), hashes.Select(hash => VllmBlockHasher.ToEventHash(hash)));
        Assert.Equal(blocks.Select(block => block.GetProperty("with_group_id_3_hex").GetString()),
            hashes.Select(hash => Convert.ToHexStringLower(VllmBlockHasher.ToGroupKey(hash, 3))));
    }

    [Theory]
    [MemberData(nameof(PickleCases))]
    public void Create_PickleAlgorithm_IsRefusedNamingThePortableOne(int index)
    {
        var algorithm = "vllm-" + HashVectors.Vllm[index].GetProperty("hash_algorithm").GetString();

        var refusal = Assert.Throws<ChunkHashException>(() => ChunkHasher.Create(algorithm, "0"));

        Assert.Contains("pickle", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(algorithm + "_cbor", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HashBlocks_EmbeddingsEndInsideABlock_NamesTheBytesThatAreMissing()
    {
        var hasher = (VllmBlockHasher)ChunkHasher.Create("vllm-sha256_cbor");
        var keys = new BlockExtraKeys { PromptEmbeddings = new byte[8 * 20], EmbeddingBytesPerToken = 8 };

        var error = Assert.Throws<ArgumentException>(() => hasher.HashBlocks(new int[32], 16, keys, []));

        Assert.Contains("needs 256", error.Message, StringComparison.Ordinal);
    }

    private static BlockExtraKeys ExtraKeys(JsonElement vector)
    {
        var request = vector.GetProperty("request");
        var hasEmbeddings = HashVectors.Text(vector, "prompt_embeds_f32_hex") is not null;
        if (!hasEmbeddings && !request.EnumerateObject().Any())
        {
            return BlockExtraKeys.None;
        }
        return new BlockExtraKeys
        {
            LoraName = HashVectors.Text(request, "lora"),
            CacheSalt = HashVectors.Text(request, "salt"),
            MultimodalItems = request.TryGetProperty("mm", out var items)
                ? [.. items.EnumerateArray().Select(item => new MultimodalItem(item[0].GetString()!, item[1].GetInt32(), item[2].GetInt32()))]
                : [],
            PromptEmbeddings = hasEmbeddings ? Convert.FromHexString(HashVectors.Text(vector, "prompt_embeds_f32_hex")!) : default,
            EmbeddingBytesPerToken = hasEmbeddings ? 4 * vector.GetProperty("prompt_embeds_shape")[1].GetInt32() : 0,
        };
    }

    private static TheoryData<int> Cases(bool pickle) =>
    [
        .. Enumerable.Range(0, HashVectors.Vllm.Length)
            .Where(index => HashVectors.Text(HashVectors.Vllm[index], "hash_algorithm") is "sha256" or "xxhash" == pickle),
    ];
}
