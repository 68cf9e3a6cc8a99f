using System.Text;
using System.Text.Json;
using Ferry.Cache.Remote.Clients;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Clients;

public sealed class ClientKeyTests
{
    private static ClientKey Parse(string key) => ClientKey.Parse(Encoding.UTF8.GetBytes(key));

    [Theory]
    [InlineData("m@4@1@1aaaaaaaaaaaaaaa@half", nameof(ClientKeyPart.Whole), "m@4@1@1aaaaaaaaaaaaaaa@half")]
    [InlineData("m@4@1@1aaaaaaaaaaaaaaa@halfkv_bytes", nameof(ClientKeyPart.PairValue), "m@4@1@1aaaaaaaaaaaaaaa@half")]
    [InlineData("m@4@1@1aaaaaaaaaaaaaaa@halfmetadata", nameof(ClientKeyPart.PairNote), "m@4@1@1aaaaaaaaaaaaaaa@half")]
    [InlineData("m@4@1@1aaaaaaaaaaaaaaa@half@7metadata", nameof(ClientKeyPart.PairNote), "m@4@1@1aaaaaaaaaaaaaaa@half@7")]
    [InlineData("m@4@1@1aaaaaaaaaaaaaaa@half@t%vkv_bytes", nameof(ClientKeyPart.PairValue), "m@4@1@1aaaaaaaaaaaaaaa@half@t%v")]
    [InlineData("vllm@m@4@1@1aaaaaaaaaaaaaaa@halfkv_bytes", nameof(ClientKeyPart.PairValue), "vllm@m@4@1@1aaaaaaaaaaaaaaa@half")]
    [InlineData("m@04010401@0@1aaaaaaaaaaaaaaa@saltkv_bytes", nameof(ClientKeyPart.Whole), "m@04010401@0@1aaaaaaaaaaaaaaa@saltkv_bytes")]
    [InlineData("my_kv_bytes", nameof(ClientKeyPart.Whole), "my_kv_bytes")]
    [InlineData("kv_bytes", nameof(ClientKeyPart.Whole), "kv_bytes")]
    [InlineData("metadata", nameof(ClientKeyPart.Whole), "metadata")]
    [InlineData("m@4@1@xyz@halfmetadata", nameof(ClientKeyPart.Whole), "m@4@1@xyz@halfmetadata")]
    public void Parse_Suffixes_MakeAPairOnlyBehindAKeyOfTheEngine(string key, string part, string text)
    {
        var parsed = Parse(key);
        Assert.Equal((Enum.Parse<ClientKeyPart>(part), text), (parsed.Part, parsed.Text.ToString()));
    }

    [Fact]
    public void Parse_BothGrammars_GiveModelRankTypeAndSalt()
    {
        Assert.Equal(("org/m", 4, 1, "half", 7, ""), Of("org/m@4@1@-41257af1dd85c366@half@7"));
        Assert.Equal(("org/m", 4, 1, null, null, "tenant"), Of($"org/m@04010401@0@{new string('b', 64)}@tenant"));

        static (string, int, int, string?, int?, string) Of(string key) =>
            Parse(key).Shard is { } shard ? (shard.Model, shard.WorldSize, shard.Rank, shard.DType, shard.Layer, shard.Salt) : default;
    }

    [Fact]
    public void Parse_EveryRecordedKey_IsUnderstood()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(Ferry.TestKit.RepositoryRoot.At("tests", "data", "hashing", "lmcache_hash_vectors.json")));
        var keys = vectors.RootElement.GetProperty("cases").EnumerateArray()
            .SelectMany(item => item.TryGetProperty("chunks", out var chunks) ? chunks.EnumerateArray() : default)
            .SelectMany(chunk => chunk.TryGetProperty("layer_keys", out var layers) && layers.ValueKind == JsonValueKind.Array
                ? layers.EnumerateArray().Select(key => key.GetString()!).Append(chunk.GetProperty("key").GetString()!)
                : chunk.TryGetProperty("key", out var key) ? [key.GetString()!] : [])
            .ToArray();
        Assert.True(keys.Length > 100);
        Assert.All(keys, key =>
        {
            Assert.Equal(key.Split('@')[0], Parse(key).Shard!.Model);
            Assert.Equal((ClientKeyPart.PairNote, key), (Parse(key + "metadata").Part, Parse(key + "metadata").Text.ToString()));
        });
    }

    [Fact]
    public void Names_OfRecords_AreThoseOfThePage()
    {
        // docs/wire/client-keys.md: these outlive a restart, and nodes share them: another name is another domain.
        var page = File.ReadAllText(Path.Combine(Ferry.TestKit.RepositoryRoot.Path, "docs/wire/client-keys.md"));
        var engine = "m@4@1@1aaaaaaaaaaaaaaa@half"u8;
        Assert.Contains($"{ClientKeys.OpaqueModel:x32}", page, StringComparison.Ordinal);
        Assert.Contains(ClientKeys.Opaque("plain"u8).Hash.ToString(), page, StringComparison.Ordinal);
        Assert.Contains(ClientKeys.Noted(engine, "").Hash.ToString(), page, StringComparison.Ordinal);
        Assert.Contains($"{Ferry.Cache.Remote.Models.ModelCards.FingerprintOf("meta-llama/Llama-3.1-8B"):x32}", page, StringComparison.Ordinal);
        var tagged = new ClientTargets(new([ClientStoreHarness.Card()]), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)
            .Find(Encoding.UTF8.GetBytes("meta-llama/Llama-3.1-8B@4@1@1aaaaaaaaaaaaaaa@half@1@user%alice"));
        Assert.Contains($"{tagged.Chunk.Model:x32}", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Note_RecordedBytes_ReadAndWriteBack()
    {
        // A 20 MiB chunk of bf16 [2, 40, 256, 512], as LMCache's redis:// client sent it.
        var recorded = Convert.FromHexString("00004001010000000300000002000000280000000001000000020000");
        var note = ClientNote.TryRead(recorded)!.Value;
        Assert.Equal(new ClientNote(20971520, ClientNote.Format2Ltd, 3, 2, 40, 256, 512), note);
        Assert.Equal(recorded, note.ToBytes());
        Assert.Null(ClientNote.TryRead(recorded.AsSpan(1)));
        Assert.True(ClientNote.IsPlausibleLength(28) && ClientNote.IsPlausibleLength(48) && !ClientNote.IsPlausibleLength(29) && !ClientNote.IsPlausibleLength(8));
    }
}
