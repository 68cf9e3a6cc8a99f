using Ferry.IntegrationTests.Remote.S3;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>The whole promise: the guide's environment, two clients of different tensor-parallel size, a real Ceph bucket, kill -9, the same bytes.</summary>
[Collection(CephFixture.Collection)]
public sealed class GuideTests(CephFixture ceph) : IDisposable
{
    private const int Chunks = 6;

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-guide-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task GuidesEnvironment_TwoClientsOfDifferentSize_GetTheSameBytesAfterAKillAndARestart()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "models.yaml"), LmCacheFleet.Cards);
        await using (var exchange = await StartAsync("disk"))
        {
            using var prefill = await exchange.ConnectAsync();
            using var decode = await exchange.ConnectAsync();
            for (var chunk = 0; chunk < Chunks; chunk++)
            {
                await LmCacheFleet.PutAsync(prefill.GetDatabase(), chunk, worldSize: 4);
                await LmCacheFleet.AssertGetsAsync(decode.GetDatabase(), chunk, worldSize: 2);
            }
            await exchange.WaitWrittenAsync(Chunks * 4);
            Assert.Contains("lmcache:num_hit_tokens_total", await exchange.MetricsAsync(), StringComparison.Ordinal);
            await exchange.KillAsync();
        }
        await using (var again = await StartAsync("disk"))
        {
            Assert.Contains($"{Chunks * 4} records", again.Tail, StringComparison.Ordinal);
            await AssertBothAsync(again);
            Assert.True(Reads(await again.StateAsync(), "disk") >= Chunks * 4);
            await again.KillAsync();
        }
        // Another node, or this one with a new disk: the bucket alone has it.
        await using var elsewhere = await StartAsync("fresh");
        await AssertBothAsync(elsewhere);
        Assert.True(Reads(await elsewhere.StateAsync(), "s3") >= Chunks * 4);
        var verified = await Processes.FerryRun.RunAsync("cache", "verify", "--admin", elsewhere.Admin, "--tier", "s3");
        Assert.True(verified.ExitCode == 0, verified.Output + verified.Error);
        Assert.Contains("all are whole", verified.Output, StringComparison.Ordinal);
    }

    private static async Task AssertBothAsync(ExchangeProcess exchange)
    {
        using var client = await exchange.ConnectAsync();
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), chunk, worldSize: 2);
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), chunk, worldSize: 4);
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), chunk, worldSize: 8);
        }
    }

    private static long Reads(System.Text.Json.Nodes.JsonObject state, string kind) =>
        state["tiers"]!.AsArray().Single(tier => tier!["kind"]!.GetValue<string>() == kind)!["reads"]!.GetValue<long>();

    /// <summary>The guide's block for the prefill node, word by word but for what is this machine's: the endpoint, the keys, the directory. The flags make it fit beside other tests.</summary>
    private Task<ExchangeProcess> StartAsync(string disk)
    {
        var endpoint = $"127.0.0.1:{ceph.Lab.GatewayPort()}";
        return ExchangeProcess.StartAsync(
            ["--memory", "256MiB", "--disk-size", "512MiB", "--models", Path.Combine(_directory, "models.yaml")],
            new Dictionary<string, string>
            {
                ["LMCACHE_LOCAL_CPU"] = "True",
                ["LMCACHE_MAX_LOCAL_CPU_SIZE"] = "20.0",
                ["LMCACHE_LOCAL_DISK"] = Path.Combine(_directory, disk),
                ["LMCACHE_MAX_LOCAL_DISK_SIZE"] = "100.0",
                ["LMCACHE_CACHE_POLICY"] = "LRU",
                ["LMCACHE_ENABLE_PD"] = "True",
                ["LMCACHE_PD_ROLE"] = "sender",
                ["LMCACHE_TRANSFER_CHANNEL"] = "nixl",
                ["LMCACHE_REMOTE_URL"] = $"s3://{endpoint}/{CephLab.Bucket}/guide",
                ["LMCACHE_S3_ENDPOINT_URL"] = $"http://{endpoint}",
                ["AWS_ACCESS_KEY_ID"] = CephLab.AccessKey,
                ["AWS_SECRET_ACCESS_KEY"] = CephLab.SecretKey,
                ["AWS_DEFAULT_REGION"] = "default",
                ["LMCACHE_CHUNK_SIZE"] = "64",
                ["LMCACHE_SAVE_DECODE_CACHE"] = "False",
            });
    }
}
