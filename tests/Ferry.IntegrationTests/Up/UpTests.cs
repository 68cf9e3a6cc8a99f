using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Up;

/// <summary>The first thing a user runs.</summary>
public sealed class UpTests
{
    [Fact]
    public async Task Up_Once_HandsTheStoryOverAndAnswersBothQuestions()
    {
        var run = await FerryRun.RunAsync("up", "--once", "--json", "--port", "0");

        Assert.True(run.ExitCode == 0, run.Error);
        var report = JsonNode.Parse(run.Output)!;
        AssertHandedOver(report["first"]!);
        AssertHandedOver(report["second"]!);
        Assert.Equal(0, (int)report["first"]!["prefillCachedTokens"]!);
        Assert.True((int)report["second"]!["prefillCachedTokens"]! >= 512, "The second question found too little of the story in the cache.");
        Assert.Null(report["fromSharedStore"]);
        Assert.Contains("mi300x: block 16, HND, interleaved, TP 4", run.Error, StringComparison.Ordinal);
        Assert.Contains("gaudi3: block 128, NHD, split, TP 2", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_WithASharedStore_LetsAFreshNodeFindTheChunks()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-up-shared-").FullName;
        try
        {
            var run = await FerryRun.RunAsync("up", "--once", "--json", "--port", "0", "--shared", directory);

            Assert.True(run.ExitCode == 0, run.Error);
            var fresh = JsonNode.Parse(run.Output)!["fromSharedStore"]!;
            AssertHandedOver(fresh);
            Assert.True((int)fresh["prefillCachedTokens"]! >= 512, "The fresh node computed what the shared store holds.");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Up_PortTaken_ChoosesAnotherAndSaysWhich()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var run = await FerryRun.RunAsync("up", "--once", "--json", "--port", $"{port}");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.NotEqual(port, new Uri((string)JsonNode.Parse(run.Output)!["url"]!).Port);
    }

    [Fact]
    public async Task Up_ModelWithoutWeights_FailsAndShowsWhatTheNodeSaid()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-no-model-").FullName;
        try
        {
            var run = await FerryRun.RunAsync("up", directory, "--once");

            Assert.Equal(1, run.ExitCode);
            Assert.Contains("config.json", run.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    private static void AssertHandedOver(JsonNode account)
    {
        Assert.True((bool)account["isRight"]!, $"'{account["answer"]}' does not hold '{account["expected"]}'.");
        Assert.True((int)account["movedTokens"]! > 0);
        Assert.True((long)account["movedBytes"]! > 0);
        Assert.True((long)account["convertedBytes"]! > 0);
        Assert.Equal("verified", (string)account["checksum"]!);
    }
}
