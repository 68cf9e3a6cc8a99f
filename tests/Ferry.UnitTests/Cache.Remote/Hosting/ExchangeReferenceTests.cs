using Ferry.Cache.Remote.Hosting.Options;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Hosting;

public sealed class ExchangeReferenceTests
{
    private static readonly Setting[] Settings =
        [.. ExchangeFlags.All, .. LmCacheSettings.Exchange.All, .. LmCacheExtraSettings.All, .. ExchangeEnvironment.All];

    [Fact]
    public void ToMarkdown_TheSettings_EqualsTheDocument()
    {
        var document = File.ReadAllText(RepositoryRoot.At("docs", "configuration-cache.md"));
        Assert.True(document == ExchangeReference.ToMarkdown(), "docs/configuration-cache.md is out of date: run ./ferry cache --reference > docs/configuration-cache.md");
    }

    [Fact]
    public void ToMarkdown_EverySetting_HasALineThatExplainsIt()
    {
        var document = ExchangeReference.ToMarkdown();
        Assert.All(Settings, setting =>
        {
            Assert.Contains($"| `{setting.Name}`", document, StringComparison.Ordinal);
            Assert.True(setting.Text.Length > 10, setting.Name);
        });
    }

    [Fact]
    public void Settings_NamesAndKeys_AreUnique()
    {
        string[] names = [.. Settings.SelectMany(setting => setting.Names), .. ExchangeReference.CommandFlags.Select(setting => setting.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
        string[] keys = [.. ExchangeFlags.All.Select(setting => setting.Key)];
        Assert.Equal(keys.Length, keys.Distinct().Count());
    }

    [Fact]
    public void Tables_OfEngineAndExchange_KnowTheSameLmCacheNames() =>
        Assert.Equal(LmCacheSettings.Engine.All.SelectMany(setting => setting.Names).Order(), LmCacheSettings.Exchange.All.SelectMany(setting => setting.Names).Order());
}
