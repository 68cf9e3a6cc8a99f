using System.Text;
using Ferry.Cache.Remote.Resp;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Resp;

public sealed class GlobPatternTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("a*c", "abbbc", true)]
    [InlineData("a*c", "abbbd", false)]
    [InlineData("h?llo", "hello", true)]
    [InlineData("h?llo", "hllo", false)]
    [InlineData("h[ae]llo", "hallo", true)]
    [InlineData("h[ae]llo", "hillo", false)]
    [InlineData("h[^e]llo", "hbllo", true)]
    [InlineData("h[^e]llo", "hello", false)]
    [InlineData("h[a-b]llo", "hbllo", true)]
    [InlineData("h[b-a]llo", "hallo", true)]
    [InlineData("h[a-b]llo", "hcllo", false)]
    [InlineData("a\\*c", "a*c", true)]
    [InlineData("a\\*c", "abc", false)]
    [InlineData("[\\]]", "]", true)]
    [InlineData("[abc", "b", true)]
    [InlineData("*metadata", "model@1@0@ff@halfmetadata", true)]
    [InlineData("", "a", false)]
    public void Matches_Pattern_IsAsRedisMatches(string pattern, string text, bool matches) =>
        Assert.Equal(matches, GlobPattern.Matches(Encoding.Latin1.GetBytes(pattern), Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Matches_ManyStars_EndsSoon()
    {
        var pattern = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("a*", 500)) + "b");
        var text = Encoding.Latin1.GetBytes(new string('a', 500));

        Assert.False(GlobPattern.Matches(pattern, text)); // Exponential in a matcher that tries every star anew.
    }
}
