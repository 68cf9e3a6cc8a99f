using CsCheck;
using Ferry.Engine.Generation;
using Ferry.Engine.Tokenization;
using Ferry.TestKit.Engines;
using Xunit;

namespace Ferry.UnitTests.Engine.Generation;

public sealed class OutputTextTests
{
    private static readonly Tokenizer Bytes = TestTokenizer.Create();

    [Theory]
    [InlineData("hello STOP world", "STOP", false, "hello ")]
    [InlineData("hello STOP world", "STOP", true, "hello STOP")]
    [InlineData("SSTSTOP", "STOP", false, "SST")]
    [InlineData("no end", "STOP", false, "no end")]
    [InlineData("half ST", "STOP", false, "half ST")]
    [InlineData("😀STOP", "STOP", false, "😀")]
    public void Append_StopString_EndsTheTextThere(string text, string stop, bool include, string expected)
    {
        var (shown, matched) = Run(text, [stop], include);
        Assert.Equal(expected, shown);
        Assert.Equal(text.Contains(stop, StringComparison.Ordinal) ? stop : null, matched);
    }

    [Fact]
    public void Append_SeveralStops_TheOneThatBeginsFirstCounts() => Assert.Equal(("a", "bc"), Run("abcd", ["cd", "bc"], false));

    [Fact]
    public void Append_TextThatMayBecomeAStop_IsHeldBack()
    {
        var tokenizer = TestTokenizer.Create();
        var output = new OutputText(tokenizer.CreateDecoder(), ["ab!"], includeStop: false);
        Assert.Equal(["x", "", "", "abb", "", ""], "xabbab".Select((c, i) => i == 3 ? output.Append(tokenizer.Encode("b")[0], true) : output.Append(tokenizer.Encode(c.ToString())[0], true)));
        Assert.Equal("ab", output.Flush(true));
    }

    [Fact]
    public void Append_BeforeMinTokens_StopsAreNotLookedFor()
    {
        var tokenizer = TestTokenizer.Create();
        var output = new OutputText(tokenizer.CreateDecoder(), ["x"], includeStop: false);
        Assert.Equal("x", output.Append(tokenizer.Encode("x")[0], mayStop: false));
        Assert.Equal("", output.Append(tokenizer.Encode("x")[0], mayStop: true));
        Assert.Equal("x", output.MatchedStop);
    }

    [Fact]
    public void Append_AnyTextAndStops_GivesTheTextBeforeTheFirstStop() =>
        Gen.Select(Gen.String[Gen.Char["ab"], 0, 30], Gen.String[Gen.Char["ab"], 1, 5].Array[1, 3]).Sample((text, stops) =>
        {
            var cut = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(text.Length);
            // Char by char a stop that ends earlier is seen earlier, even where a longer one begins before it.
            var (shown, matched) = Run(text, stops, false);
            Assert.StartsWith(shown, text, StringComparison.Ordinal);
            Assert.Equal(cut.Min() == text.Length, matched is null);
            if (matched is null) { Assert.Equal(text, shown); }
            else { Assert.StartsWith(shown + matched, text, StringComparison.Ordinal); }
            Assert.All(stops, stop => Assert.DoesNotContain(stop, shown, StringComparison.Ordinal));
        }, iter: 2_000);

    private static (string Text, string? Matched) Run(string text, string[] stops, bool include)
    {
        var output = new OutputText(Bytes.CreateDecoder(), stops, include);
        var shown = "";
        foreach (var token in Bytes.Encode(text))
        {
            shown += output.Append(token, mayStop: true);
            if (output.MatchedStop is not null) { return (shown, output.MatchedStop); }
        }
        return (shown + output.Flush(true), output.MatchedStop);
    }
}
