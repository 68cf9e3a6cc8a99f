using CsCheck;
using Ferry.Cluster.Rendering.Output;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Ferry.UnitTests.Cluster.Rendering;

public sealed class YamlPrinterTests
{
    /// <summary>A YAML 1.1 reader would take each of these for another type, or for syntax.</summary>
    [Theory]
    [InlineData("yes")]
    [InlineData("No")]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("1e3")]
    [InlineData("0.24")]
    [InlineData("12:30:45")]
    [InlineData("a: b")]
    [InlineData("a #b")]
    [InlineData("- a")]
    [InlineData("")]
    [InlineData("{x}")]
    [InlineData("*x")]
    [InlineData("a:")]
    public void Quote_WhatYamlWouldMisread_StandsInQuotes(string text) => Assert.StartsWith("\"", YamlPrinter.Quote(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("/dev/kfd:/dev/kfd")]
    [InlineData("--tensor-parallel-size")]
    [InlineData("rocm/vllm:v0.24.0")]
    public void Quote_WhatReadsTheSame_AnyYamlReaderGivesBack(string text) => Assert.Equal(text, Read(YamlPrinter.Print(new YamlMap { { "k", text } })));

    [Fact]
    public void Print_AnyText_ComesBackAsItWas() => Gen.String.Sample(text =>
    {
        // What no YAML document can hold is not asked for: lone surrogates and most control characters.
        var printable = new string([.. text.Where(c => !char.IsSurrogate(c) && (c >= ' ' || c is '\n' or '\t') && c is not ('\u007f' or '\u0085' or '\ufffe' or '\uffff' or '\u2028' or '\u2029') && !(c is >= '\u0080' and < '\u00a0'))]);
        Assert.Equal(printable, Read(YamlPrinter.Print(new YamlMap { { "k", printable } })));
    });

    [Fact]
    public void Print_ABlock_KeepsItsLines()
    {
        const string Lines = "# a\nb:\n  - c\n\nd: 1\n";
        Assert.Equal(Lines, Read(YamlPrinter.Print(new YamlMap { { "k", YamlScalar.Lines(Lines) } })));
    }

    private static string Read(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return ((YamlScalarNode)((YamlMappingNode)stream.Documents[0].RootNode).Children.Single().Value).Value ?? "";
    }
}
