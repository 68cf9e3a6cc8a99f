using Ferry.Router;
using Ferry.Router.Configuration;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Router.Configuration;

public sealed class RouterConfigFileTests
{
    [Fact]
    public void Read_AWholeFile_SetsEverythingItNames()
    {
        var (options, errors) = Read("""
            listen: {host: 127.0.0.1, port: 9100}
            policy: prefix-aware
            decodePolicy: least-loaded
            prefill:
              - http://a:8000
              - {url: "https://b:8443", weight: 2.5, kvEvents: "tcp://b:5557", kvReplay: "tcp://b:5558", sideChannel: "tcp://b:5600"}
            decode: ["http://c:8000"]
            prefix:
              indexBytes: 64MiB
              historyLifetime: 90s
            health: {interval: 500ms, readMetrics: false}
            admission: {maxInFlight: 12}
            """);
        Assert.Empty(errors);
        Assert.Equal(("127.0.0.1", 9100, "prefix-aware", "least-loaded"), (options.Host, options.Port, options.Policy, options.DecodePolicy));
        Assert.Equal((64L << 20, TimeSpan.FromSeconds(90), TimeSpan.FromMilliseconds(500), false, 12), (options.IndexBytes, options.HistoryLifetime, options.HealthInterval, options.ReadsNodeMetrics, options.MaxInFlight));
        Assert.Equal((2.5, "tcp://b:5557", "tcp://b:5558", "tcp://b:5600"), (options.Prefill[1].Weight, options.Prefill[1].KvEvents, options.Prefill[1].KvReplay, options.Prefill[1].SideChannel));
    }

    [Fact]
    public void Read_SeveralMistakes_ReportsAllWithTheirPlaceAndTheNearestName()
    {
        var (_, errors) = Read("""
            polcy: prefix-aware
            policy: prefixaware
            prefill:
              - ftp://a
              - {ulr: "http://b:8000"}
            health: {intervall: 5s, timeout: soon}
            admission:
              maxInFlight: 0
            listen: 9000
            """);
        Assert.Collection(
            errors,
            error => Assert.Equal("r.yaml:1:1: unknown key 'polcy'. Did you mean 'policy'?", error),
            error => Assert.StartsWith("r.yaml:2:9: policy is 'prefixaware'; it must be one of", error, StringComparison.Ordinal),
            error => Assert.StartsWith("r.yaml:4:5: prefill 'ftp://a' is no node.", error, StringComparison.Ordinal),
            error => Assert.StartsWith("r.yaml:5:6: unknown key 'ulr' of a node. Did you mean 'url'?", error, StringComparison.Ordinal),
            error => Assert.Equal("r.yaml:5:5: a node of prefill without url.", error),
            error => Assert.Equal("r.yaml:6:10: unknown key 'health.intervall'. Did you mean 'health.interval'?", error),
            error => Assert.StartsWith("r.yaml:6:34: health.timeout is 'soon'; it must be a time", error, StringComparison.Ordinal),
            error => Assert.Equal("r.yaml:8:16: admission.maxInFlight is 0; it must lie in 1..1048576.", error),
            error => Assert.StartsWith("r.yaml:9:9: listen must be a mapping, with the keys host, port", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a: [1", "not valid YAML")]
    [InlineData("- a", "must be a mapping")]
    [InlineData("policy: a\npolicy: b", "not valid YAML")]
    [InlineData("---\npolicy: round-robin\n---\npolicy: cost-based", "a second document")]
    [InlineData("policy: {a: b}", "must be one value")]
    [InlineData("prefill: http://a", "must be a list")]
    public void Read_BrokenStructure_SaysWhere(string text, string expected) =>
        Assert.Contains(Read(text).Errors, error => error.Contains(expected, StringComparison.Ordinal) && error.StartsWith("r.yaml:", StringComparison.Ordinal));

    [Fact]
    public void Read_FlagAndFile_TheFlagWins()
    {
        var path = Path.Combine(Path.GetTempPath(), $"ferry-{Guid.NewGuid():N}.yaml");
        File.WriteAllText(path, "policy: cost-based\nlisten: {port: 9100}\nprefill: [\"http://a\"]\ndecode: [\"http://b\"]\n");
        try
        {
            var errors = new List<string>();
            var options = new RouterConfiguration(path, [("--port", "9200")], ["http://c"], []).Read(errors);
            Assert.Empty(errors);
            Assert.Equal((9200, "cost-based", "c", "b"), (options.Port, options.Policy, options.Prefill[0].Address.Host, options.Decode[0].Address.Host));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Read_FileThatIsNotThere_IsAnError()
    {
        var errors = new List<string>();
        new RouterConfiguration("/nowhere/router.yaml", [], ["http://a"], ["http://b"]).Read(errors);
        Assert.Contains("/nowhere/router.yaml: cannot be read", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_KeysAndFlags_AreUniqueAndRoundTrip()
    {
        Assert.Equal(RouterSettings.All.Count, RouterSettings.All.Select(setting => setting.Key).Distinct().Count());
        Assert.Equal(RouterSettings.All.Count, RouterSettings.All.Select(setting => setting.Flag).Distinct().Count());
        foreach (var setting in RouterSettings.All)
        {
            Assert.True(setting.TryApply(setting.Default, new RouterOptions(), out var options) is null, $"{setting.Key}: its default '{setting.Default}' is refused");
            Assert.Equal(setting.Default, setting.Format(options));
            Assert.True(setting.Text.Length > 10, setting.Key);
        }
    }

    [Fact]
    public void ToMarkdown_TheSettings_EqualsDocsRouterConfiguration() =>
        Assert.True(
            File.ReadAllText(RepositoryRoot.At("docs", "router-configuration.md")) == RouterReference.ToMarkdown(),
            "docs/router-configuration.md is out of date: run ./ferry route --reference > docs/router-configuration.md");

    private static (RouterOptions Options, List<string> Errors) Read(string text)
    {
        var errors = new List<string>();
        return (RouterConfigFile.Read(text, "r.yaml", new RouterOptions(), errors), errors);
    }
}
