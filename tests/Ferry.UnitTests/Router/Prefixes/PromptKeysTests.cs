using System.Text;
using Ferry.Router.Choosing;
using Ferry.Router.Prefixes;
using Xunit;

namespace Ferry.UnitTests.Router.Prefixes;

public sealed class PromptKeysTests
{
    private static readonly byte[] LongText = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 40_000).Select(word => $"w{word} ")));

    [Fact]
    public void OfText_TwoTextsWithACommonStart_ShareTheKeysOfIt()
    {
        var other = LongText.ToArray();
        other[100_000] ^= 1;
        using var left = PromptKeys.OfText(LongText, 256, 1);
        using var right = PromptKeys.OfText(other, 256, 1);
        var common = left.Keys.CommonPrefixLength(right.Keys);
        Assert.InRange(left.LengthOf(common), 100_000 - (100_000 / 32) - 256, 100_000);
        Assert.NotEqual(left.Keys[common], right.Keys[common]);
    }

    [Fact]
    public void OfText_AQuarterMegabyte_HasFewPieces()
    {
        using var keys = PromptKeys.OfText(LongText, 256, 1);
        Assert.InRange(keys.Keys.Length, 64, 160);
        Assert.InRange(keys.LengthOf(keys.Keys.Length), LongText.Length - (LongText.Length / 32) - 256, LongText.Length);
    }

    [Fact]
    public void OfText_OtherModelSaltOrTools_SharesNothing()
    {
        ChoiceFacts[] variants =
        [
            Facts("m", "", ""), Facts("n", "", ""), Facts("m", "\"s\"", ""), Facts("m", "", "[{}]"),
            new ChoiceFacts { Prompt = LongText, Model = "m", Context = [default, Encoding.UTF8.GetBytes("[{}]")] },
        ];
        var firsts = variants.Select(facts => { using var keys = PrefixKnowledge.OfText(facts, 256); return keys.Keys[0]; }).ToArray();
        Assert.Equal(firsts.Length, firsts.Distinct().Count());
    }

    [Fact]
    public void OfTokens_LengthOfThePrompt_LeavesTheUnfullBlockOut()
    {
        using var keys = PromptKeys.OfTokens(Enumerable.Range(0, 100).ToArray(), 16, 1, 0);
        Assert.Equal(6, keys.Keys.Length);
        Assert.Equal(96, keys.LengthOf(6));
    }

    [Theory]
    [InlineData("[1, 2,3]", new[] { 1, 2, 3 })]
    [InlineData("[ 7 ]", new[] { 7 })]
    [InlineData("[\n151644,\t8948 ]", new[] { 151644, 8948 })]
    public void TryReadTokens_AListOfNumbers_IsRead(string json, int[] expected)
    {
        var tokens = PromptKeys.TryReadTokens(Encoding.UTF8.GetBytes(json), out var count);
        Assert.Equal(expected, tokens.AsSpan(0, count).ToArray());
    }

    [Theory]
    [InlineData("\"text\"")]
    [InlineData("[]")]
    [InlineData("[1,")]
    [InlineData("[1,]")]
    [InlineData("[1, \"a\"]")]
    [InlineData("[[1,2]]")]
    [InlineData("[1.5]")]
    [InlineData("[99999999999]")]
    [InlineData("[1 2]")]
    [InlineData("[1")]
    [InlineData("")]
    public void TryReadTokens_AnythingElse_IsNone(string json) => Assert.Null(PromptKeys.TryReadTokens(Encoding.UTF8.GetBytes(json), out _));

    [Fact]
    public void SaltOf_EscapedAndPlain_IsTheSame()
    {
        Assert.Equal(PrefixKnowledge.SaltOf("\"tenant\""u8), PrefixKnowledge.SaltOf("\"t\\u0065nant\""u8));
        Assert.NotEqual(0ul, PrefixKnowledge.SaltOf("\"tenant\""u8));
        Assert.Equal(0ul, PrefixKnowledge.SaltOf("null"u8));
    }

    private static ChoiceFacts Facts(string model, string salt, string tools) =>
        new() { Prompt = LongText, Model = model, CacheSalt = Encoding.UTF8.GetBytes(salt), Context = [Encoding.UTF8.GetBytes(tools), default] };
}
