using System.Text.Json;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Xunit;

namespace Ferry.UnitTests.Hashing;

/// <summary>All 140 recorded cases: in-process hashes and keys, daemon hashes and keys, and the algorithms that need Python.</summary>
public sealed class LmCacheHashVectorTests
{
    public static TheoryData<int> InProcessCases { get; } = Cases("ChunkedTokenDatabase", pickle: false);

    public static TheoryData<int> DaemonCases { get; } = Cases("MP TokenHasher", pickle: false);

    public static TheoryData<int> PickleCases { get; } = Cases("ChunkedTokenDatabase", pickle: true);

    [Fact]
    public void Vectors_AllCases_AreCoveredByOneOfTheTheories()
    {
        Assert.Equal(140, HashVectors.LmCache.Length);
        Assert.Equal(140, InProcessCases.Count + DaemonCases.Count + PickleCases.Count);
        Assert.Equal(9, PickleCases.Count);
    }

    [Theory]
    [MemberData(nameof(InProcessCases))]
    public void InProcess_RecordedCase_GivesTheRecordedRootHashesAndKeys(int index)
    {
        var vector = HashVectors.LmCache[index];
        var algorithm = vector.GetProperty("hash_algorithm").GetString()!;
        var vllm = vector.GetProperty("vllm_importable").GetBoolean();
        var hasher = ChunkHasher.Create(algorithm == "builtin" && vllm ? "builtin+vllm" : algorithm, HashVectors.Text(vector, "pythonhashseed"));
        var tokens = HashVectors.Tokens(vector);
        var worldSize = vector.GetProperty("use_mla").GetBoolean() ? 1 : vector.GetProperty("world_size").GetInt32();
        LmCacheTag[]? tags = vector.GetProperty("request_configs").ValueKind == JsonValueKind.Object
            ? [.. vector.GetProperty("request_configs").EnumerateObject()
                .Where(config => config.Name.StartsWith("lmcache.tag.", StringComparison.Ordinal))
                .Select(config => new LmCacheTag(config.Name["lmcache.tag.".Length..], config.Value.GetString()!))]
            : null;

        Assert.Equal(Expected(vector, "none_hash", "none_hash_bytes_hex"), hasher.Root.ToString());
        var chunks = vector.GetProperty("chunks").EnumerateArray().ToDictionary(chunk => chunk.GetProperty("start").GetInt32());
        var seen = 0;
        var hash = hasher.Root;
        for (var start = 0; start < tokens.Length; start += vector.GetProperty("chunk_size").GetInt32())
        {
            var chunk = tokens.AsSpan(start, Math.Min(vector.GetProperty("chunk_size").GetInt32(), tokens.Length - start));
            hash = hasher.Next(hash, chunk);
            if (!chunks.TryGetValue(start, out var expected))
            {
                continue;   // masked away, or unfull and not saved
            }
            seen++;
            Assert.Equal(start + chunk.Length, expected.GetProperty("end").GetInt32());
            Assert.Equal(Expected(expected, "chunk_hash", "chunk_hash_bytes_hex"), hash.ToString());

            var key = new LmCacheKey(vector.GetProperty("model").GetString()!, worldSize, vector.GetProperty("worker_id").GetInt32(), hash,
                LmCacheKey.TryDTypeName(vector.GetProperty("kv_dtype").GetString()!), tags: tags);
            Assert.Equal(expected.GetProperty("key").GetString(), key.ToString());
            Assert.Equal(key, LmCacheKey.TryParse(key.ToString()));
            if (expected.GetProperty("layer_keys").ValueKind == JsonValueKind.Array)
            {
                Assert.All(expected.GetProperty("layer_keys").EnumerateArray(), (text, layer) =>
                {
                    var layerKey = LmCacheKey.TryParse(text.GetString()!);
                    Assert.Equal(layer, layerKey!.Layer);
                    Assert.Equal(text.GetString(), layerKey.ToString());
                });
            }
        }
        Assert.Equal(chunks.Count, seen);
    }

    [Theory]
    [MemberData(nameof(DaemonCases))]
    public void Daemon_RecordedCase_GivesTheRecordedRootHashesAndKeys(int index)
    {
        var vector = HashVectors.LmCache[index];
        var seed = HashVectors.Text(vector, "pythonhashseed");
        ChunkHasher hasher = vector.GetProperty("hash_algorithm").GetString() switch
        {
            "builtin" => new BuiltinChunkHasher("mp-builtin", ChainForm.Null, vector.GetProperty("vllm_importable").GetBoolean()
                ? BuiltinChunkHasher.SeededRoot("mp-builtin+vllm", seed)
                : BuiltinChunkHasher.DaemonRoot(HashVectors.RecordedNoneObjectHash), HashVectors.RecordedNoneObjectHash),
            "sha256_cbor" => ChunkHasher.Create("mp-sha256_cbor", seed),
            var name => ChunkHasher.Create(name!, seed),
        };

        Assert.Equal(Expected(vector, "none_hash", "none_hash_bytes_hex"), hasher.Root.ToString());
        var hash = hasher.Root;
        var tokens = HashVectors.Tokens(vector);
        var chunkTokens = vector.GetProperty("chunk_size").GetInt32();
        var hashes = new List<string>();
        for (var start = 0; start + chunkTokens <= tokens.Length; start += chunkTokens)
        {
            hash = hasher.Next(hash, tokens.AsSpan(start, chunkTokens));
            hashes.Add(hash.ToString());
        }
        Assert.Equal(vector.GetProperty("chunk_hashes_hex").EnumerateArray().Select(text => text.GetString()), hashes);

        Assert.All(vector.GetProperty("object_keys").EnumerateArray(), expected =>
        {
            var rank = KvRank.FromPacked(expected.GetProperty("kv_rank").GetUInt32());
            Assert.Equal(new KvRank((byte)vector.GetProperty("world_size").GetInt32(), rank.GlobalRank), rank);
            var key = new LmCacheObjectKey(vector.GetProperty("model").GetString()!, rank, group: null,
                ChunkHash.TryParse(expected.GetProperty("chunk_hash").GetString())!.Value, vector.GetProperty("cache_salt").GetString()!);
            Assert.Equal(expected.GetProperty("l2_key_string").GetString(), key.ToString());
            Assert.Equal(key, LmCacheObjectKey.TryParse(key.ToString()));
        });
    }

    [Theory]
    [MemberData(nameof(PickleCases))]
    public void Create_PickleAlgorithm_IsRefusedNamingThePortableOne(int index)
    {
        var algorithm = HashVectors.LmCache[index].GetProperty("hash_algorithm").GetString()!;

        var refusal = Assert.Throws<ChunkHashException>(() => ChunkHasher.Create(algorithm, "0"));

        Assert.Contains("pickle", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(algorithm + "_cbor", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>A hash as hex: recorded as bytes, or as Python's signed integer.</summary>
    private static string Expected(JsonElement element, string integerName, string bytesName) =>
        element.GetProperty(bytesName) is { ValueKind: JsonValueKind.String } hex
            ? hex.GetString()!
            : element.GetProperty(integerName).GetInt64().ToString("x16");

    private static TheoryData<int> Cases(string kind, bool pickle) =>
    [
        .. Enumerable.Range(0, HashVectors.LmCache.Length).Where(index =>
            HashVectors.Text(HashVectors.LmCache[index], "kind") == kind
            && HashVectors.Text(HashVectors.LmCache[index], "hash_algorithm") is "sha256" or "xxhash" == pickle),
    ];
}
