using CsCheck;
using Ferry.Cluster.Diagnosis;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

public sealed class MetricPageTests
{
    [Fact]
    public void Sum_OverLabels_AddsWhatMatches()
    {
        var page = MetricPage.Parse("# HELP a b\na{x=\"1\",y=\"p,q}\"} 2 1700000000\na{x=\"2\"} 3.5e1\na 1\nb NaN\nbroken{x=\"1\n");
        Assert.Equal(38, page.Sum("a"));
        Assert.Equal(2, page.Sum("a", ("x", "1")));
        Assert.Equal("p,q}", page.Samples("a").First().Labels["y"]);
        Assert.Equal(0, page.Sum("b"));
        Assert.Equal(4, page.SampleCount);
    }

    [Fact]
    public void Parse_AnyText_ThrowsNothing() =>
        Pick("a", "{", "}", "=", "\"", ",", " ", "1", "\n", "\\", "#", "+Inf").Array[0, 60].Select(string.Concat)
            .Sample(text => MetricPage.Parse(text).SampleCount >= 0, iter: 2_000);

    private static Gen<string> Pick(params string[] words) => Gen.Int[0, words.Length - 1].Select(at => words[at]);
}
