using Ferry.Cluster.Inputs.Yaml;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Xunit;

namespace Ferry.UnitTests.Cluster.Inputs;

public sealed class YamlReadingTests
{
    [Theory]
    [InlineData("a: plain text # comment\n", "plain text", 1, 4)]
    [InlineData("a: 'single'\n", "single", 1, 4)]
    [InlineData("a:\n  - \"double\"\n", "double", 2, 5)]
    [InlineData("# é\r\na: crlf\r\n", "crlf", 2, 4)]
    public void Scalar_OfAnyStyle_KnowsItsPlace(string yaml, string value, int line, int column)
    {
        var text = First(yaml);
        Assert.Equal(value, text.Value);
        Assert.Equal((line, column), (text.Span.Line, text.Span.Column));
        Assert.Equal(value, text.TryExact()!.Value.Text);
    }

    [Fact]
    public void BlockScalar_InsideADocument_MapsEachLine()
    {
        var text = First("a: |\n    first\n      second x\n    third\n");
        Assert.Equal("first\n  second x\nthird\n", text.Value);
        var at = text.Value.IndexOf("third", StringComparison.Ordinal);
        Assert.Equal((4, 5, "third"), (text.Slice(at, 5).Line, text.Slice(at, 5).Column, text.Slice(at, 5).Text));
        Assert.Equal("second x", text.Slice(text.Value.IndexOf("second", StringComparison.Ordinal), 8).Text);
    }

    [Fact]
    public void Aliases_OfASmallFile_CannotGrowWithoutBound()
    {
        var yaml = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12).Select(level =>
        {
            var (name, before) = ((char)('a' + level), (char)('a' + level - 1));
            return $"{name}: &{name} [{string.Join(", ", Enumerable.Repeat($"*{before}", 10))}]\n";
        }));
        var defects = new List<SourceDefect>();
        YamlReader.Read(SourcedText.Of(new SourceFile("a.yaml", yaml)), defects);
        Assert.Contains("values", Assert.Single(defects).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void MergeKey_OfAnAnchor_IsWeakerThanTheMappingsOwn()
    {
        var root = YamlReader.Read(SourcedText.Of(new SourceFile("a.yaml", "x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n")), [])[0];
        Assert.Equal(("1", "3"), (root.Find("y", "a")!.Text.Value, root.Find("y", "b")!.Text.Value));
    }

    private static SourcedText First(string yaml)
    {
        var value = YamlReader.Read(SourcedText.Of(new SourceFile("a.yaml", yaml)), [])[0].Members[0].Value;
        return value.Kind == DataKind.Array ? value.Items[0].Text : value.Text;
    }
}
