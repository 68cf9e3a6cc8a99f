using Ferry.IntegrationTests.Disaggregation;
using Ferry.IntegrationTests.Processes;
using Ferry.IntegrationTests.Remote.S3;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>The same code as the engine's own cache: with a bucket, where a second node finds the chunks, and with a disk, where the first finds them after a restart.</summary>
[Collection(CephFixture.Collection)]
public sealed class ServeTiersTests(CephFixture ceph) : IDisposable
{
    private const string Chat = "/v1/chat/completions";

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-serve-tiers-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Bucket_SecondNodeOfAnotherShape_FindsTheChunks()
    {
        var endpoint = $"127.0.0.1:{ceph.Lab.GatewayPort()}";
        var environment = new Dictionary<string, string>
        {
            ["LMCACHE_REMOTE_URL"] = $"s3://{endpoint}/{CephLab.Bucket}/serve",
            ["LMCACHE_S3_ENDPOINT_URL"] = $"http://{endpoint}",
            ["AWS_ACCESS_KEY_ID"] = CephLab.AccessKey,
            ["AWS_SECRET_ACCESS_KEY"] = CephLab.SecretKey,
            ["AWS_DEFAULT_REGION"] = "default",
            ["LMCACHE_BLOCKING_TIMEOUT_SECS"] = "60",   // other tests share the two cores
        };
        await AssertSecondFindsAsync(environment, "gaudi3", 2, "s3");
    }

    [Fact]
    public async Task Disk_TheSameNodeAfterARestart_FindsTheChunks() => await AssertSecondFindsAsync(
        new Dictionary<string, string> { ["LMCACHE_LOCAL_DISK"] = Path.Combine(_directory, "disk"), ["LMCACHE_MAX_LOCAL_DISK_SIZE"] = "0.25", ["LMCACHE_CACHE_POLICY"] = "LFU" }, "mi300x", 4, "disk");

    private static async Task AssertSecondFindsAsync(Dictionary<string, string> environment, string device, int ranks, string tier)
    {
        var request = Prompts.Chat(0, 0);
        NodeAnswer first;
        await using (var node = await ServeNode.StartAsync("mi300x", 4, "kv_both", environment: environment))
        {
            first = await node.PostAsync(Chat, request);
        }
        await using var second = await ServeNode.StartAsync(device, ranks, "kv_both", environment: environment);
        var answer = await second.PostAsync(Chat, request);
        Assert.Equal(first.Text, answer.Text);
        Assert.True(answer.MovedTokens >= 512, $"Only {answer.MovedTokens} tokens were found.");
        Assert.Contains(tier, answer.Source, StringComparison.Ordinal);
        Assert.Equal("verified", answer.Headers["x-ferry-kv-checksum"]);
        Assert.True((await second.MetricsAsync())["ferry_cache_tier_reads_total"] > 0, "The tier's reads are not in the node's metrics.");
    }
}
