using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Schema;
using Ferry.Cluster.Spec;
using Ferry.TestKit;
using Json.Schema;
using Xunit;

namespace Ferry.UnitTests.Cluster.Schema;

public sealed class SpecSchemaTests
{
    private static readonly Lazy<JsonSchema> Schema = new(() => JsonSchema.FromText(SpecSchema.Build().ToJsonString()));

    public static TheoryData<string> Examples() => [.. Directory.EnumerateFiles(RepositoryRoot.At("examples"), "*.yaml").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static bool IsValid(JsonNode? document) => Schema.Value.Evaluate(JsonSerializer.SerializeToElement(document)).IsValid;

    [Theory]
    [MemberData(nameof(Examples))]
    public void Schema_EveryExample_IsValidAndReadWithoutErrors(string name)
    {
        var text = File.ReadAllText(RepositoryRoot.At("examples", name));

        Assert.Empty(ClusterFiles.Errors(text));
        Assert.True(IsValid(YamlAsJson.Of(text)), name);
    }

    [Fact]
    public void Schema_TestFile_IsValid() => Assert.True(IsValid(YamlAsJson.Of(ClusterFiles.Pair)));

    [Theory]
    [InlineData("colour: red")]
    [InlineData("cache: {policy: random}")]
    [InlineData("cache: {chunkTokens: none}")]
    [InlineData("cache: {chunkTokens: 0}")]
    [InlineData("cache: {memory: much}")]
    [InlineData("storage: {redis: {}}")]
    [InlineData("storage: {redis: {address: 'a:1'}, directory: {path: /kv}}")]
    [InlineData("storage: {redis: {address: 'a:1', password: {env: A, file: /b}}}")]
    [InlineData("transport: {kind: carrier-pigeon}")]
    [InlineData("router: {port: 70000}")]
    public void Schema_WhatTheReaderRefuses_IsInvalid(string line)
    {
        Assert.NotEmpty(ClusterFiles.Errors(ClusterFiles.Pair + "\n" + line));
        Assert.False(IsValid(YamlAsJson.Of(ClusterFiles.Pair + "\n" + line)));
    }

    [Fact]
    public void Schema_RequiredKeyMissing_IsInvalid() =>
        Assert.False(IsValid(YamlAsJson.Of(ClusterFiles.Pair.Replace("accelerator: gaudi3", "port: 8001", StringComparison.Ordinal))));

    [Fact]
    public void Schema_File_IsThePrintedOne() =>
        Assert.True(
            File.ReadAllText(RepositoryRoot.At("examples", "ferry.schema.json")).TrimEnd() == SpecSchema.Build().ToJsonString(new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true }),
            "examples/ferry.schema.json is not what 'ferry schema' prints: write it anew.");

    [Fact]
    public void Reference_Page_IsThePrintedOne() =>
        Assert.True(
            File.ReadAllText(RepositoryRoot.At("docs", "ferry-yaml.md")) == SpecReference.ToMarkdown(),
            "docs/ferry-yaml.md is not what 'ferry schema --reference' prints: write it anew.");

    [Fact]
    public void Keys_OfEveryRecord_HaveATextThatEndsAndADefaultThatTheirBoundsAllow()
    {
        foreach (var (path, property) in SpecRecordType.Of(typeof(ClusterSpec)).Descend())
        {
            Assert.True(property.Key.Text.EndsWith('.'), $"{path}: its text is no sentence.");
            Assert.True(property.Key.Pattern.Length == 0 || property.Key.PatternText.Length > 0, $"{path}: nobody could say what its pattern wants.");
            var owner = SpecRecordType.Of(property.Property.DeclaringType!);
            if (owner.DefaultOf(property) is { } value and (int or long or double))
            {
                Assert.InRange(Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture), property.Key.Minimum, property.Key.Maximum);
            }
        }
    }
}
