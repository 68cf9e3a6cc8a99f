using System.Diagnostics;
using System.Text.Json.Nodes;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>Real exchanges that read from each other: what LMCache's clients of one size put into one, those of another size get from the other.</summary>
public sealed class PeerExchangeTests : IDisposable
{
    /// <summary>A fifth of it is what a peer may take for an answer: on a busy machine too much, rather than too little.</summary>
    private const string PatientDeadline = "100s";

    private const string Password = "the-password-of-the-fleet";

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-peers-").FullName;
    private readonly Dictionary<string, string> _environment = new() { ["FERRY_RESP_PASSWORD"] = Password };

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Clients_OfOtherSizesAtTheOtherExchange_GetEveryByteOfTheirShards(bool fromDisk)
    {
        const int chunks = 4;
        string[] disk = fromDisk ? ["--disk", Path.Combine(_directory, "disk"), "--disk-size", "256MiB"] : [];
        disk = [.. disk, "--tier-deadline", PatientDeadline];
        var first = await StartAsync(disk);
        try
        {
            using (var prefill = await first.ConnectAsync(Password))
            {
                for (var chunk = 0; chunk < chunks; chunk++)
                {
                    await LmCacheFleet.PutAsync(prefill.GetDatabase(), chunk, 4);
                }
                await prefill.GetDatabase().StringSetAsync("no key of LMCache", "bytes");
            }
            if (fromDisk)
            {
                await first.WaitWrittenAsync((4 * chunks) + 1);
                await first.DisposeAsync();
                first = await StartAsync(disk); // Its memory is empty now.
            }
            await using var second = await StartAsync(["--peer", $"127.0.0.1:{first.RespPort}", "--tier-deadline", PatientDeadline]);
            using var decode = await second.ConnectAsync(Password);
            foreach (var worldSize in (int[])[8, 2, 4, 1])
            {
                await LmCacheFleet.AssertGetsAsync(decode.GetDatabase(), worldSize % chunks, worldSize);
            }
            Assert.Equal("bytes", await decode.GetDatabase().StringGetAsync("no key of LMCache"));
            Assert.False(await decode.GetDatabase().KeyExistsAsync(LmCacheFleet.Key(chunks, 8, 0) + "metadata"));

            var tier = (await second.StateAsync())["tiers"]!.AsArray().Single(tier => tier!["kind"]!.GetValue<string>() == "peer")!;
            Assert.Equal($"peer://127.0.0.1:{first.RespPort}", tier["name"]!.GetValue<string>());
            Assert.True(tier["reads"]!.GetValue<long>() >= 5 && tier["damaged"]!.GetValue<long>() == 0, tier.ToJsonString());
            Assert.Contains("tier=\"peer", await second.MetricsAsync(), StringComparison.Ordinal);
            Assert.DoesNotContain(Password, first.Tail + second.Tail, StringComparison.Ordinal);
        }
        finally
        {
            await first.DisposeAsync();
        }
    }

    [Fact]
    public async Task Exchange_StoppedKilledOrRestarted_CostsMissesAndNeverAnErrorOrAWrongByte()
    {
        var first = await StartAsync([]);
        try
        {
            using (var prefill = await first.ConnectAsync(Password))
            {
                for (var chunk = 0; chunk < 6; chunk++)
                {
                    await LmCacheFleet.PutAsync(prefill.GetDatabase(), chunk, 4);
                }
            }
            string[] peer = ["--peer", $"127.0.0.1:{first.RespPort}", "--tier-deadline", "20s"];
            await using (var second = await StartAsync(peer))
            {
                using var decode = await second.ConnectAsync(Password);
                await LmCacheFleet.AssertGetsAsync(decode.GetDatabase(), 0, 8);
            }
            // The second restarted: it has nothing, and gets it again.
            await using var again = await StartAsync(peer);
            using var client = await again.ConnectAsync(Password);
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), 0, 8);

            // The first stands still: each question costs a bounded wait until it is left alone.
            await SignalAsync(first, "STOP");
            await Eventually.TrueAsync(async () =>
            {
                Assert.True((await client.GetDatabase().StringGetAsync(LmCacheFleet.Key(1, 8, 0) + "kv_bytes")).IsNull);
                return (await PeerAsync(again))["reading"]!.GetValue<string>() == "off";
            }, "the peer is left alone");
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), 0, 8);
            await SignalAsync(first, "CONT");
            await Eventually.TrueAsync(async () => await client.GetDatabase().KeyExistsAsync(LmCacheFleet.Key(1, 8, 0) + "metadata"), "the peer is asked again");
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), 1, 8);

            await first.KillAsync();
            Assert.True((await client.GetDatabase().StringGetAsync(LmCacheFleet.Key(5, 8, 0) + "kv_bytes")).IsNull);
            Assert.False(await client.GetDatabase().KeyExistsAsync(LmCacheFleet.Key(5, 8, 0) + "metadata"));
            await LmCacheFleet.AssertGetsAsync(client.GetDatabase(), 1, 8);

            // A third finds with the second what that had from the first.
            await using var third = await StartAsync(["--peer", $"127.0.0.1:{again.RespPort}", $"127.0.0.1:{first.RespPort}", "--tier-deadline", PatientDeadline]);
            using var late = await third.ConnectAsync(Password);
            await LmCacheFleet.AssertGetsAsync(late.GetDatabase(), 1, 2);
        }
        finally
        {
            await first.DisposeAsync();
        }
    }

    private Task<ExchangeProcess> StartAsync(string[] arguments)
    {
        var cards = Path.Combine(_directory, "models.yaml");
        File.WriteAllText(cards, LmCacheFleet.Cards);
        return ExchangeProcess.StartAsync(["--memory", "64MiB", "--models", cards, .. arguments], _environment);
    }

    private static async Task<JsonNode> PeerAsync(ExchangeProcess exchange) =>
        (await exchange.StateAsync())["tiers"]!.AsArray().Single(tier => tier!["kind"]!.GetValue<string>() == "peer")!;

    private static async Task SignalAsync(ExchangeProcess exchange, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{exchange.ProcessId}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
