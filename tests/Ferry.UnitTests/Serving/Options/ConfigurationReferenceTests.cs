using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;
using Ferry.Serving.Options;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Serving.Options;

public sealed class ConfigurationReferenceTests
{
    [Fact]
    public void ToMarkdown_TheSettings_EqualsDocsConfiguration()
    {
        var document = File.ReadAllText(RepositoryRoot.At("docs", "configuration.md"));
        Assert.True(document == ConfigurationReference.ToMarkdown(), "docs/configuration.md is out of date: run ./ferry serve --reference > docs/configuration.md");
    }

    [Fact]
    public void ToMarkdown_EverySetting_HasALineThatExplainsIt()
    {
        var document = ConfigurationReference.ToMarkdown();
        foreach (var setting in ServeFlags.All.Concat<Setting>(LmCacheSettings.Engine.All).Concat(EnvironmentSettings.All).Concat(KvTransferSettings.Keys).Concat(KvTransferSettings.ExtraKeys))
        {
            Assert.Contains($"| `{setting.Name}`", document, StringComparison.Ordinal);
            Assert.True(setting.Text.Length > 10, setting.Name);
        }
    }

    [Fact]
    public void Settings_Names_AreUnique()
    {
        string[] names = [.. ServeFlags.All.Concat<Setting>(LmCacheSettings.Engine.All).Concat(EnvironmentSettings.All).SelectMany(setting => (string[])[setting.Name, .. setting.Aliases])];
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void ToHelp_HonouredSettings_AreAllNamed()
    {
        var help = ConfigurationReference.ToHelp();
        Assert.All(ServeFlags.Honoured, setting => Assert.Contains(setting.IsSwitch ? setting.Name[2..] : setting.Name, help, StringComparison.Ordinal));
        Assert.All(LmCacheSettings.Engine.Honoured, setting => Assert.Contains(setting.Name, help, StringComparison.Ordinal));
    }
}
