using System.Text.Json;
using Ferry.Cli.Commands.Cluster;
using Xunit;

namespace Ferry.UnitTests.Cli.Cluster;

public sealed class SchemaCommandTests
{
    [Fact]
    public async Task Schema_NoFlag_PrintsJsonWithEveryTopLevelKey()
    {
        var run = await CommandLineRun.OfAsync([SchemaCommand.Create()], "schema");

        Assert.Equal(0, run.ExitCode);
        var properties = JsonDocument.Parse(run.Output).RootElement.GetProperty("properties");
        foreach (var key in (string[])["name", "model", "pools", "profiles", "handover", "cache", "storage", "transport", "router", "kubernetes", "plan"])
        {
            Assert.True(properties.TryGetProperty(key, out _), key);
        }
    }

    [Fact]
    public async Task Schema_Reference_PrintsThePage() =>
        Assert.StartsWith("# ferry.yaml", (await CommandLineRun.OfAsync([SchemaCommand.Create()], "schema", "--reference")).Output, StringComparison.Ordinal);
}
