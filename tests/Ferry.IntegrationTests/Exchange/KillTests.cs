using System.Collections.Concurrent;
using Ferry.IntegrationTests.Processes;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>kill -9 of the real process: what a tier has is not lost, what is torn is not served.</summary>
public sealed class KillTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-kill-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("disk")]
    [InlineData("directory")]
    public async Task Kill_DuringWrites_LosesNothingThatWasWrittenAndServesNothingTorn(string kind)
    {
        var path = Path.Combine(_directory, kind);
        string[] tier = kind == "disk" ? ["--disk", path] : ["--remote", $"file://{path}"];
        Task<ExchangeProcess> StartAsync() =>
            ExchangeProcess.StartAsync(["--memory", "64MiB", .. tier, kind == "disk" ? "--disk-size" : "--remote-size", "512MiB", "--log-level", "warning"]);
        const int settled = 40;
        const int rounds = 3;
        var (written, random) = (0, new Random(20261126));
        for (var round = 0; round < rounds; round++)
        {
            await using (var exchange = await StartAsync())
            {
                using var client = await exchange.ConnectAsync();
                await AssertHoldsAsync(client.GetDatabase(), written);
                for (var number = written; number < written + settled; number++)
                {
                    await client.GetDatabase().StringSetAsync(Key(number), Value(number));
                }
                await exchange.WaitWrittenAsync(settled);
                written += settled;
                var (storm, stop) = (new ConcurrentBag<Task>(), new CancellationTokenSource());
                for (var writer = 0; writer < 4; writer++)
                {
                    storm.Add(StormAsync(client.GetDatabase(), round, writer, stop.Token));
                }
                await Task.Delay(random.Next(100, 600));
                await exchange.KillAsync();
                await stop.CancelAsync();
                await Task.WhenAll(storm);
            }
            var verified = await FerryRun.RunAsync(["cache", "verify", .. tier, "--json"]);
            Assert.True(verified.ExitCode == 0, verified.Output + verified.Error);
        }
        await using var last = await StartAsync();
        using var reader = await last.ConnectAsync();
        await AssertHoldsAsync(reader.GetDatabase(), written);
        for (var round = 0; round < rounds; round++)
        {
            for (var number = 0; number < 4000; number++)
            {
                var name = StormKey(round, number % 4, number / 4);
                var value = (byte[]?)await reader.GetDatabase().StringGetAsync(name);
                Assert.True(value is null || value.AsSpan().SequenceEqual(Bytes(name)), name);
            }
        }
    }

    private static async Task AssertHoldsAsync(IDatabase client, int count)
    {
        for (var number = 0; number < count; number++)
        {
            var value = (byte[]?)await client.StringGetAsync(Key(number));
            Assert.True(value is not null && value.AsSpan().SequenceEqual(Value(number)), Key(number));
        }
    }

    private static async Task StormAsync(IDatabase client, int round, int writer, CancellationToken stop)
    {
        for (var number = 0; number < 1000 && !stop.IsCancellationRequested; number++)
        {
            try
            {
                var name = StormKey(round, writer, number);
                await client.StringSetAsync(name, Bytes(name));
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                return;   // killed
            }
        }
    }

    private static string Key(int number) => $"settled-{number}";

    private static byte[] Value(int number) => Bytes(Key(number));

    private static string StormKey(int round, int writer, int number) => $"storm-{round}-{writer}-{number}";

    /// <summary>4 KiB to 260 KiB that follow from the name.</summary>
    private static byte[] Bytes(string name)
    {
        var seed = name.Aggregate(17, (hash, letter) => unchecked((hash * 31) + letter));
        var random = new Random(seed);
        var bytes = new byte[random.Next(4 << 10, 260 << 10)];
        random.NextBytes(bytes);
        return bytes;
    }
}
