using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>Architecture 2: what one node computed, another that has just started finds in the shared directory.</summary>
public sealed class SharedTierTests : IDisposable
{
    private const string Chat = "/v1/chat/completions";
    private const int RecordHeaderBytes = 1024; // docs/wire/record.md

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-shared-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task SharedTier_NodeStartedFresh_FindsTheChunksOfAnother()
    {
        var request = Prompts.Chat(0, 0);
        var first = await FillAsync(request);

        await using var fresh = await StartAsync("gaudi3", 2);
        var answer = await fresh.PostAsync(Chat, request);

        Assert.Equal(first.Text, answer.Text);
        Assert.True(answer.MovedTokens >= 512, $"Only {answer.MovedTokens} tokens were found.");
        Assert.Contains("directory", answer.Source, StringComparison.Ordinal);
        Assert.Equal("verified", answer.Headers["x-ferry-kv-checksum"]);
    }

    [Fact]
    public async Task SharedTier_DisaggregatedThroughIt_GivesTheSameTokens()
    {
        var request = Prompts.Chat(1, 0);
        var first = await FillAsync(request);

        await using var prefill = await StartAsync("mi300x", 2);
        await using var decode = await StartAsync("gaudi3", 4);
        var answer = await Prompts.DisaggregatedAsync(prefill, decode, request);

        Assert.Equal(first.Text, answer.Text);
    }

    [Fact]
    public async Task SharedTier_FlippedByteInARecord_IsDetectedCountedAndComputed()
    {
        var request = Prompts.Chat(0, 0);
        var first = await FillAsync(request);
        foreach (var file in Records())
        {
            var bytes = await File.ReadAllBytesAsync(file);
            bytes[RecordHeaderBytes + 1000] ^= 0x01;
            await File.WriteAllBytesAsync(file, bytes);
        }

        await using var fresh = await StartAsync("gaudi3", 2);
        var answer = await fresh.PostAsync(Chat, request);

        Assert.Equal(first.Text, answer.Text);
        Assert.Equal(0, answer.MovedTokens);
        Assert.True((await fresh.MetricsAsync())["ferry_kv_checksum_failures_total"] > 0);
    }

    private async Task<NodeAnswer> FillAsync(System.Text.Json.Nodes.JsonObject request)
    {
        await using var node = await StartAsync("mi300x", 4);
        return await node.PostAsync(Chat, request);
        // Disposing the node flushes what it has written behind.
    }

    private Task<ServeNode> StartAsync(string device, int tensorParallel) =>
        ServeNode.StartAsync(device, tensorParallel, "kv_both", environment: new Dictionary<string, string>
        {
            ["LMCACHE_REMOTE_URL"] = new Uri(_directory).AbsoluteUri,
        });

    private string[] Records()
    {
        var files = Directory.GetFiles(_directory, "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > RecordHeaderBytes).ToArray();
        Assert.NotEmpty(files);
        return files;
    }
}
