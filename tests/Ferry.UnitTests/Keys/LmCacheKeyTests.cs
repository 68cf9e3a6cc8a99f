using System.Text;
using CsCheck;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Xunit;

namespace Ferry.UnitTests.Keys;

public sealed class LmCacheKeyTests
{
    internal const string Sha = "4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e";

    private static readonly Gen<string> Part = Gen.Char.Where(c => c != '@' && !char.IsControl(c) && !char.IsSurrogate(c)).Array[1, 40].Select(c => new string(c));

    private static readonly Gen<ChunkHash> Hash = Gen.OneOf(8, 16, 32)
        .SelectMany(byteCount => Gen.Byte.Array[byteCount].Select(bytes => new ChunkHash(bytes)));

    private static readonly Gen<LmCacheKey> Key = Gen.Select(
        Part, Gen.Int[0, 999_999], Gen.Int[0, 999_999], Hash, Gen.OneOf([.. LmCacheKey.KnownDTypes]),
        Gen.Int[-1, 999_999], Gen.Select(Part.Where(name => !name.Contains('%')), Part).Array[0, 4], Gen.Int[0, 2],
        (model, world, worker, hash, dtype, layer, tags, form) => form == 2
            ? new LmCacheKey(model, world, worker, hash, null, format: "vllm")
            : new LmCacheKey(model, world, worker, hash, dtype, layer < 0 ? null : layer,
                [.. tags.Select(tag => new LmCacheTag(tag.Item1, tag.Item2))], form == 1 ? "vllm" : null));

    [Fact]
    public void TryParse_PrintedKey_ReadsBackEveryPart() => Key.Sample(key =>
    {
        var read = LmCacheKey.TryParse(Encoding.UTF8.GetBytes(key.ToString()));
        return read is not null && read.Equals(key) && read.Model == key.Model && read.WorldSize == key.WorldSize
            && read.WorkerId == key.WorkerId && read.Hash == key.Hash && read.DType == key.DType && read.Layer == key.Layer
            && read.Tags.SequenceEqual(key.Tags) && read.Form == key.Form;
    });

    [Fact]
    public void TryParse_DamagedKey_IsNullOrPrintsAsItself() =>
        Gen.Select(Key, Gen.Int[0, 300], Gen.OneOf('@', '-', '0', '%', 'f', ' ', '\0')).Sample((key, position, character) =>
        {
            var text = key.ToString();
            position %= text.Length;
            var damaged = text[..position] + character + text[(position + 1)..];
            return LmCacheKey.TryParse(damaged) is not { } read || read.ToString() == damaged;
        });

    [Fact]
    public void TryParse_AnyBytes_NeverThrows() =>
        Gen.Byte.Array[0, 1500].Sample(bytes => LmCacheKey.TryParse(bytes) is null && LmCacheObjectKey.TryParse(bytes) is null);

    [Fact]
    public void TryParse_NegativeBuiltinHash_IsTwosComplementBytes()
    {
        var key = LmCacheKey.TryParse("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B@1@0@-41257af1dd85c366@bfloat16")!;

        Assert.Equal("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", key.Model);
        Assert.Equal("beda850e227a3c9a", key.Hash.ToString());
        Assert.Equal("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B@1@0@-41257af1dd85c366@bfloat16", key.ToString());
    }

    [Theory]
    [InlineData("m@1@0@0@half", LmCacheKeyForm.Current)]
    [InlineData("m@1@0@-8000000000000000@half", LmCacheKeyForm.Current)]
    [InlineData("m@1@0@7fffffffffffffff@half", LmCacheKeyForm.Current)]
    [InlineData("registry:5000/org/model:v1@4@3@" + Sha + "@fp8_e4m3fn", LmCacheKeyForm.Current)]
    [InlineData("m@8@5@" + Sha + "@bfloat16@31", LmCacheKeyForm.Current)]
    [InlineData("m@8@5@" + Sha + "@bfloat16@user%alice@tier%gold", LmCacheKeyForm.Current)]
    [InlineData("m@8@5@" + Sha + "@bfloat16@0@user%a%b", LmCacheKeyForm.Current)]
    [InlineData("vllm@m@8@5@" + Sha + "@bfloat16", LmCacheKeyForm.FormatFirst)]
    [InlineData("vllm@m@8@5@" + Sha, LmCacheKeyForm.FormatFirstWithoutDType)]
    public void TryParse_EveryGeneration_IsRecognisedAndPrintsAsItself(string text, LmCacheKeyForm form)
    {
        var key = LmCacheKey.TryParse(text);

        Assert.Equal(form, key!.Form);
        Assert.Equal(text, key.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("@@@@")]
    [InlineData("m@1@0@" + Sha)]
    [InlineData("m@01@0@" + Sha + "@half")]
    [InlineData("m@-1@0@" + Sha + "@half")]
    [InlineData("m@1000000@0@" + Sha + "@half")]
    [InlineData("m@1\0@0@" + Sha + "@half")]
    [InlineData("m@1@0@-0@half")]
    [InlineData("m@1@0@00@half")]
    [InlineData("m@1@0@8000000000000000@half")]
    [InlineData("m@1@0@-8000000000000001@half")]
    [InlineData("m@1@0@4E1195DF020DE59E@half")]
    [InlineData("m@1@0@" + Sha + "0@half")]
    [InlineData("m@1@0@" + Sha + "@float32")]
    [InlineData("m@1@0@" + Sha + "@half@")]
    [InlineData("m@1@0@" + Sha + "@half@tag")]
    [InlineData("m@1@0@" + Sha + "@half@%value")]
    [InlineData("m@1@0@" + Sha + "@half@1@2")]
    [InlineData("m@1@0@" + Sha + "@halfmetadata")]
    [InlineData("m\n@1@0@" + Sha + "@half")]
    public void TryParse_NotAKeyToTheLetter_IsNull(string text) => Assert.Null(LmCacheKey.TryParse(text));

    [Fact]
    public void TryParse_KeyBeyondTheCap_IsNull()
    {
        var suffix = "@1@0@" + Sha + "@half";
        var longest = new string('m', 1024 - suffix.Length) + suffix;

        Assert.Equal(longest, LmCacheKey.TryParse(longest)?.ToString());
        Assert.Null(LmCacheKey.TryParse("m" + longest));
        Assert.Null(LmCacheKey.TryParse(Encoding.UTF8.GetBytes("m" + longest)));
    }

    [Fact]
    public void New_ModelWithSeparator_IsAnErrorThatSaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => new LmCacheKey("a@b", 1, 0, ChunkHash.TryParse(Sha)!.Value, "half"));

        Assert.Contains("model is 'a@b'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void New_UnknownDType_IsAnErrorWithTheKnownOnes()
    {
        var error = Assert.Throws<ArgumentException>(() => new LmCacheKey("m", 1, 0, ChunkHash.TryParse(Sha)!.Value, "fp7"));

        Assert.Contains("bfloat16", error.Message, StringComparison.Ordinal);
    }
}
