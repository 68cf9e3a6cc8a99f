using Ferry.Cache.Remote.Models;
using Ferry.Kv.Layout;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Models;

public sealed class ModelCardsTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("ferry-cards-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    private ModelCard ReadConfig(string json)
    {
        File.WriteAllText(Path.Combine(_path, "config.json"), json);
        return ModelCards.Parse("models:\n- name: m\n  config: config.json\n", Path.Combine(_path, "models.yaml")).Cards[0];
    }

    private static string ErrorsOf(string yaml) => Assert.Throws<ModelCardException>(() => ModelCards.Parse(yaml, "models.yaml")).Message;

    [Fact]
    public void Parse_AllKeys_AreRead()
    {
        var cards = ModelCards.Parse(
            """
            models:
            - name: meta-llama/Llama-3.1-70B-Instruct
              aliases: [/models/llama-70b, "llama-70b-*"]
              layers: 80
              kv_heads: 8
              head_dim: 128
              dtype: bfloat16
              chunk_size: 512
              tensor_parallel: [4, 8]
              fp8_scale: {e4m3fnuz: 2.0, e4m3fn: 1}
              fingerprint: 00112233445566778899aabbccddeeff
            - {name: "org/*", layers: 2, kv_heads: 1, head_dim: 64, tensor_parallel: 1}
            """, "models.yaml");
        var card = cards.Cards[0];
        Assert.Equal((80, 8, 128, KvDType.BFloat16, 512), (card.Layers, card.KvHeads, card.HeadDim, card.DType, card.ChunkTokens));
        Assert.Equal([4, 8], card.TensorParallelSizes);
        Assert.Equal((2f, 1f, 1f), (card.ScaleOf(KvDType.Float8E4M3Fnuz), card.ScaleOf(KvDType.Float8E4M3Fn), card.ScaleOf(KvDType.BFloat16)));
        Assert.True(card.Converts(KvDType.Float8E4M3Fnuz, KvDType.Float8E4M3Fn));
        Assert.False(card.Converts(KvDType.Float8E5M2, KvDType.BFloat16));
        Assert.Equal(new UInt128(0x0011223344556677, 0x8899aabbccddeeff), card.Fingerprint);
        Assert.Equal((256, null), (cards.Cards[1].ChunkTokens, cards.Cards[1].DType));
    }

    [Fact]
    public void Find_NamesAliasesAndPatterns_GiveOneModelEach()
    {
        var cards = ModelCards.Parse(
            """
            models:
            - {name: "*", layers: 9, kv_heads: 1, head_dim: 8}
            - {name: "org/b?", layers: 8, kv_heads: 1, head_dim: 8}
            - {name: org/a, aliases: [/m/a, "/x/*/a"], layers: 1, kv_heads: 1, head_dim: 8}
            """, "models.yaml");
        Assert.Equal(1, cards.Find("org/a")!.Card.Layers);
        Assert.Equal(cards.Find("org/a"), cards.Find("/m/a"));
        Assert.Equal(9, cards.Find("/x/y/a")!.Card.Layers); // Of two patterns the first in the file.
        Assert.Equal(9, cards.Find("org/bb")!.Card.Layers);
        Assert.NotEqual(cards.Find("org/b1")!.Fingerprint, cards.Find("org/b2")!.Fingerprint);
        Assert.NotEqual(cards.Find("org/a")!.Fingerprint, cards.Find("org/A")!.Fingerprint);
        Assert.Null(ModelCards.None.Find("org/a"));
    }

    [Theory]
    [InlineData("a*b*c", "axxbyyc", true)]
    [InlineData("a*b*c", "abc", true)]
    [InlineData("a*b*c", "axxbyy", false)]
    [InlineData("*", "", true)]
    [InlineData("?", "", false)]
    [InlineData("a?c*", "abc", true)]
    [InlineData("**a", "bca", true)]
    [InlineData("abc", "abcd", false)]
    [InlineData("*aab", "aaaab", true)]
    public void Pattern_Matches_AsAShellWould(string pattern, string name, bool matches) => Assert.Equal(matches, new NamePattern(pattern).Matches(name));

    [Fact]
    public void Parse_EverythingWrong_IsSaidAtOnceWithItsPlace()
    {
        var errors = ErrorsOf(
            """
            models:
            - name: a
              layer: 3
              kv_heads: x
              head_dim: 0
              dtype: bf61
              tensor_parallel: [1, two]
              fp8_scale: {bf16: 1, e4m3fn: -1}
              fingerprint: zz
            - layers: 1
            - {name: "b*", aliases: [c], fingerprint: 00112233445566778899aabbccddeeff, layers: 1, kv_heads: 6, head_dim: 8, tensor_parallel: 4}
            - {name: a, layers: 1, kv_heads: 1, head_dim: 1}
            - 7
            """);
        foreach (var expected in (string[])
        [
            "models.yaml:3:3: models[0].\"layer\" is not known", "Did you mean layers?", "models.yaml:4:13: models[0].kv_heads is \"x\"; it must be a whole number in 1..4096.",
            "models.yaml:5:13: models[0].head_dim is \"0\"", "models.yaml:6:10: models[0].dtype is \"bf61\"", "Did you mean bf16?", "models.yaml:7:24: models[0].tensor_parallel: \"two\"",
            "models.yaml:8:15: models[0].fp8_scale.\"bf16\" is not an fp8 type", "models.yaml:8:32: models[0].fp8_scale.e4m3fn is \"-1\"", "models.yaml:9:16: models[0].fingerprint",
            "models.yaml:2:3: models[0].layers is missing", "models.yaml:10:3: models[1].name is missing", "models[1].kv_heads is missing",
            "models.yaml:11:25: models[2].aliases", "models[2].fingerprint", "6 KV heads cannot be dealt out to 4 ranks", "models.yaml:12:3: models[3]: \"a\" is named by models[0] too",
            "models.yaml:13:3: models[4] must be a card",
        ])
        {
            Assert.Contains(expected, errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "models.yaml:1:1: model cards are one YAML document")]
    [InlineData("models: 3", "models.yaml:1:9: models must be a list")]
    [InlineData("modles: []", "models.yaml:1:1: the key \"modles\" is not known here")]
    [InlineData("{}", "the key models is missing")]
    [InlineData("models: [", "not YAML")]
    [InlineData("models:\n- {name: m, config: nowhere.json}", "models.yaml:2:21: models[0].config: ")]
    public void Parse_NoCards_SaysWhatIsExpected(string yaml, string expected) => Assert.Contains(expected, ErrorsOf(yaml), StringComparison.Ordinal);

    [Fact]
    public void Load_NoSuchFile_SaysSo() =>
        Assert.Contains("nowhere.yaml", Assert.Throws<ModelCardException>(() => ModelCards.Load(Path.Combine(_path, "nowhere.yaml"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Config_OfALlama_GivesTheShape()
    {
        var card = ReadConfig("""{"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096, "sliding_window": null}""");
        Assert.Equal((32, 8, 128, null), (card.Layers, card.KvHeads, card.HeadDim, card.Refusal));
        card = ReadConfig("""{"num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 7, "hidden_size": 30, "use_sliding_window": false, "sliding_window": 4096}""");
        Assert.Equal((2, 4, 7, null), (card.Layers, card.KvHeads, card.HeadDim, card.Refusal));
        card = ReadConfig("""{"text_config": {"num_hidden_layers": 5, "num_attention_heads": 4, "hidden_size": 32}, "vision_config": {"num_hidden_layers": 9}}""");
        Assert.Equal((5, 4, 8), (card.Layers, card.KvHeads, card.HeadDim));
    }

    [Theory]
    [InlineData("""{"num_hidden_layers": 61, "kv_lora_rank": 512}""", "latent")]
    [InlineData("""{"num_hidden_layers": 61, "model_type": "deepseek_v3"}""", "latent")]
    [InlineData("""{"num_hidden_layers": 2, "sliding_window": 4096}""", "sliding window")]
    [InlineData("""{"num_hidden_layers": 2, "attention_chunk_size": 8192}""", "chunked attention")]
    [InlineData("""{"num_hidden_layers": 2, "layer_types": ["full_attention", "sliding_attention"]}""", "layer_types")]
    [InlineData("""{"num_hidden_layers": 2, "layer_types": ["linear_attention"]}""", "layer_types")]
    [InlineData("""{"num_hidden_layers": 2, "num_kv_shared_layers": 1}""", "share KV")]
    [InlineData("""{"num_hidden_layers": 2, "is_encoder_decoder": true}""", "encoder")]
    [InlineData("""{"num_hidden_layers": 2, "multi_query": true}""", "kv_heads")]
    [InlineData("""{"num_hidden_layers": 2, "mamba_d_state": 128}""", "one kind")]
    public void Config_OfAModelWithOtherKv_IsRefusedWithTheReason(string json, string reason) =>
        Assert.Contains(reason, ReadConfig(json).Refusal, StringComparison.Ordinal);

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{", "not JSON")]
    [InlineData("""{"num_hidden_layers": "2"}""", "num_hidden_layers is \"2\"")]
    [InlineData("""{"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 32}""", "no multiple")]
    [InlineData("""{"num_hidden_layers": 2, "num_attention_heads": 3}""", "head_dim is missing, and the config.json does not say it")]
    public void Config_ThatSaysTooLittle_IsAnError(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelCardException>(() => ReadConfig(json)).Message, StringComparison.Ordinal);
}
