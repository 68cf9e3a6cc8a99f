using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Ferry.Engine.Tokenization;
using Ferry.TestKit;
using Ferry.TestKit.Engines;
using Microsoft.ML.Tokenizers;
using Xunit;
using Tokenizer = Ferry.Engine.Tokenization.Tokenizer;

namespace Ferry.UnitTests.Engine.Tokenization;

public sealed class TokenizerTests
{
    private static readonly string[] Merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r"];

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["abc ABC\n'st1é漢\t"], 0, 60],
        Gen.String[Gen.Char["ab"], 50, 300], // long words take the other way through the merges
        Gen.String[0, 40]);

    [Fact]
    public void Encode_RandomMergesAndTexts_GivesTheIdsOfMicrosoftsTokenizer() =>
        Gen.Select(Gen.Int[0, 40], Gen.Int[0, int.MaxValue], Texts.Array[10]).Sample((mergeCount, seed, texts) =>
        {
            var merges = RandomMerges(mergeCount, new Random(seed));
            var json = TestTokenizer.Json(merges);
            var vocabulary = json["model"]!["vocab"]!.AsObject().Select(p => KeyValuePair.Create(p.Key, p.Value!.GetValue<int>()));
            var reference = BpeTokenizer.Create(new BpeOptions(vocabulary)
            {
                Merges = merges,
                ByteLevel = true,
                PreTokenizer = new RegexPreTokenizer(new(KnownPatterns.Gpt2), null),
            });
            var tokenizer = TestTokenizer.Parse(json);
            foreach (var text in texts)
            {
                var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
                // The reference's patterns do not know letters beyond U+FFFF; the next test does.
                if (!wellFormed.Any(char.IsSurrogate)) { Assert.Equal(reference.EncodeToIds(wellFormed), tokenizer.Encode(text)); }
            }
        }, iter: 50);

    [Fact]
    public void Encode_LettersBeyondTheBasicPlane_StayOneWord()
    {
        // U+10428 is a letter: with the blank before it one word, so the merge of the blank with its first byte happens.
        var tokenizer = TestTokenizer.Create("Ġ ð");
        Assert.Equal(4, tokenizer.Encode(" \U00010428").Length);
        Assert.Equal(4, tokenizer.Encode(" \U0001D7D8").Length); // a digit
    }

    [Fact]
    public void Encode_AnyText_DecodesToItself()
    {
        var tokenizer = TestTokenizer.Create(Merges);
        Texts.Sample(text =>
        {
            var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            Assert.Equal(wellFormed, tokenizer.Decode(tokenizer.Encode(text), skipSpecialTokens: false));
        }, iter: 1_000);
    }

    [Fact]
    public void Decoder_AnyTokens_GivesTheTextOfDecodePieceByPiece()
    {
        var tokenizer = TestTokenizer.Create(Merges);
        Gen.Int[0, tokenizer.VocabularySize + 5].Array[0, 40].Sample(tokens =>
        {
            var decoder = tokenizer.CreateDecoder();
            var pieces = tokens.Select(decoder.Append).ToList();
            Assert.Equal(tokenizer.Decode(tokens), string.Concat(pieces) + decoder.Flush());
        }, iter: 500);
    }

    [Fact]
    public void Decoder_CharacterInPieces_ComesOutWhole()
    {
        var tokenizer = TestTokenizer.Create();
        var decoder = tokenizer.CreateDecoder();
        Assert.Equal(["", "", "", "😀"], tokenizer.Encode("😀").Select(decoder.Append));
        Assert.Equal("", decoder.Append(0xF0));
        Assert.Equal("\uFFFD", decoder.Flush());
    }

    [Fact]
    public void Encode_SpecialTokens_AreParsedOnlyWhenAsked()
    {
        var tokenizer = TestTokenizer.Create(Merges);
        int end = tokenizer.TryFindId("<|im_end|>")!.Value;
        Assert.Equal([.. tokenizer.Encode("hello"), end], tokenizer.Encode("hello<|im_end|>"));
        Assert.DoesNotContain(end, tokenizer.Encode("hello<|im_end|>", parseSpecialTokens: false));
        Assert.Equal("hello", tokenizer.Decode(tokenizer.Encode("hello<|im_end|>")));
        Assert.Equal("hello<|im_end|>", tokenizer.Decode(tokenizer.Encode("hello<|im_end|>"), skipSpecialTokens: false));
        Assert.True(tokenizer.IsSpecial(end));
        Assert.Equal("<|im_end|>", tokenizer.TokenText(end));
    }

    [Fact]
    public void Encode_AddedTokenThatStrips_TakesTheBlanksAroundIt()
    {
        var json = TestTokenizer.Json();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 900, "content": "<mask>", "lstrip": true, "rstrip": true, "normalized": true}"""));
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 901, "content": "cat", "single_word": true}"""));
        var tokenizer = TestTokenizer.Parse(json);
        Assert.Equal([.. tokenizer.Encode("a"), 900, .. tokenizer.Encode("b")], tokenizer.Encode("a  <mask> b"));
        Assert.Equal([901], tokenizer.Encode("cat"));
        Assert.DoesNotContain(901, tokenizer.Encode("concatenate"));
    }

    [Fact]
    public void Encode_TemplateProcessing_PutsBosInFront()
    {
        var json = TestTokenizer.Json();
        json["post_processor"] = JsonNode.Parse("""
            {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}]}
            """);
        var tokenizer = TestTokenizer.Parse(json);
        Assert.Equal([256, 'a'], tokenizer.Encode("a").Select((id, at) => at == 0 ? id : tokenizer.TokenBytes(id).Span[0]));
        Assert.Single(tokenizer.Encode("a", addSpecialTokens: false));
    }

    [Fact]
    public void Encode_AddBosTokenOfTheConfig_PutsBosInFrontOnce()
    {
        var config = TestTokenizer.Config();
        config["bos_token"] = JsonNode.Parse("""{"content": "<|im_start|>"}""");
        config["add_bos_token"] = true;
        var tokenizer = TestTokenizer.Parse(TestTokenizer.Json(), config);
        Assert.Equal(tokenizer.BosTokenId, tokenizer.Encode("a")[0]);
        Assert.Equal(2, tokenizer.Encode("a").Length);
    }

    [Fact]
    public void Parse_MergesAsArrays_GivesTheSameIdsAsStrings()
    {
        var json = TestTokenizer.Json(Merges);
        json["model"]!["merges"] = new JsonArray([.. Merges.Select(m => (JsonNode)new JsonArray([.. m.Split(' ').Select(p => (JsonNode)p)]))]);
        Assert.Equal(TestTokenizer.Create(Merges).Encode("hello world"), TestTokenizer.Parse(json).Encode("hello world"));
    }

    [Fact]
    public void Encode_IgnoreMerges_TakesWholeWordsFirst()
    {
        var json = TestTokenizer.Json(Merges);
        json["model"]!["vocab"]!["world"] = 300; // no merges lead to it
        json["model"]!["ignore_merges"] = true;
        Assert.Equal([300], TestTokenizer.Parse(json).Encode("world"));
    }

    [Fact]
    public void Encode_NormalFormC_ComposesFirst()
    {
        var json = TestTokenizer.Json();
        json["normalizer"] = JsonNode.Parse("""{"type": "NFC"}""");
        var tokenizer = TestTokenizer.Parse(json);
        Assert.Equal(tokenizer.Encode("é"), tokenizer.Encode("e\u0301"));
    }

    [Fact]
    public void Encode_LongWord_TakesTheWordWhole()
    {
        var tokens = TestTokenizer.Create(Merges).Encode(new string('l', 200_001));
        Assert.Equal(100_001, tokens.Length);
    }

    [Theory]
    [InlineData("model.type", "\"Unigram\"", "Unigram")]
    [InlineData("model.byte_fallback", "true", "byte_fallback")]
    [InlineData("model.dropout", "0.5", "dropout")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix")]
    [InlineData("normalizer", """{"type": "Lowercase"}""", "Lowercase")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace"}""", "Metaspace")]
    [InlineData("pre_tokenizer", "null", "ByteLevel")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"Regex": "(("}, "behavior": "Isolated"}""", "((")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"Regex": "a"}, "behavior": "MergedWithNext"}""", "MergedWithNext")]
    [InlineData("post_processor", """{"type": "BertProcessing"}""", "BertProcessing")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<nope>"}}]}""", "<nope>")]
    [InlineData("model.vocab", "{}", "empty")]
    [InlineData("model.vocab", "[]", "damaged")]
    [InlineData("model.vocab", """{"a": -1}""", "-1")]
    [InlineData("model.vocab", """{"a": 99999999}""", "99999999")]
    [InlineData("model.vocab", """{"a": 1, "b": 1}""", "twice")]
    [InlineData("model.merges", """["a b c"]""", "merges[0]")]
    [InlineData("model.merges", """[["a", "zz"]]""", "zz")]
    [InlineData("added_tokens", """[{"id": 5, "content": ""}]""", "0 characters")]
    public void Parse_UnsupportedOrHostileFile_IsRefusedByName(string path, string value, string named)
    {
        var json = TestTokenizer.Json();
        var keys = path.Split('.');
        var parent = keys.Length == 2 ? json[keys[0]]!.AsObject() : json;
        parent[keys[^1]] = JsonNode.Parse(value);
        var error = Assert.Throws<TokenizerException>(() => TestTokenizer.Parse(json));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"model\": 3}")]
    [InlineData("\u0000\u0001")]
    public void Parse_NoTokenizerFile_IsRefused(string text) =>
        Assert.Throws<TokenizerException>(() => Tokenizer.Parse(Encoding.UTF8.GetBytes(text), default));

    [Fact]
    public void Parse_TenThousandNestedArrays_IsRefused() =>
        Assert.Throws<TokenizerException>(() => Tokenizer.Parse(Encoding.UTF8.GetBytes(new string('[', 10_000)), default));

    [Fact]
    public void Load_DirectoryWithoutTokenizer_NamesTheFile() =>
        Assert.Contains("tokenizer.json", Assert.Throws<TokenizerException>(() => Tokenizer.Load("/nowhere")).Message, StringComparison.Ordinal);

    [Fact]
    public void Encode_ShippedModel_GivesItsTrainersIds()
    {
        var (model, golden) = (RepositoryRoot.At("models", "ferry-tiny"), RepositoryRoot.At("tests", "data", "ferry-tiny", "golden.json"));
        Assert.SkipUnless(Directory.Exists(model) && File.Exists(golden), "models/ferry-tiny and its golden data are not in this tree");
        var tokenizer = Tokenizer.Load(model);
        using var document = JsonDocument.Parse(File.ReadAllBytes(golden));
        var cases = document.RootElement.GetProperty("tokenizer").EnumerateArray().ToList();
        Assert.NotEmpty(cases);
        foreach (var entry in cases)
        {
            var text = entry.GetProperty("text").GetString()!;
            int[] ids = [.. entry.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(ids, skipSpecialTokens: false));
        }
    }

    private static string[] RandomMerges(int count, Random random)
    {
        var tokens = new List<string> { "a", "b", "c", "A", "B", "Ġ", "1", "Ã", "©" };
        var merges = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var (left, right) = (tokens[random.Next(tokens.Count)], tokens[random.Next(tokens.Count)]);
            if (left.Length + right.Length > 8 || tokens.Contains(left + right)) { continue; }
            tokens.Add(left + right);
            merges.Add($"{left} {right}");
        }
        return [.. merges];
    }
}
