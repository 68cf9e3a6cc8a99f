using System.Net;
using System.Net.Sockets;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>What people mistype and forget: a clear error, the way out, the right exit code; or a start without the tier that is not there.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-refusal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("--memmory 4GiB", "Did you mean --memory?")]
    [InlineData("--memory 4", "Did you forget the unit, as in 4GiB?")]
    [InlineData("--disk /tmp/x", "has no size")]
    [InlineData("--remote kv-bucket", "which is no URL")]
    [InlineData("--remote s4://kv", "Did you mean s3?")]
    [InlineData("--resp off", "no client could reach")]
    [InlineData("--admin 0.0.0.0:6391", "FERRY_ADMIN_TOKEN")]
    [InlineData("--config /nowhere/exchange.yaml", "cannot be read")]
    [InlineData("--models /nowhere/models.yaml", "cannot be read")]
    [InlineData("--policy LRUU", "Did you mean lru?")]
    [InlineData("lsd", "Did you mean ls?")]
    public async Task WrongSettings_AreExitCode2AndSayTheWayOut(string words, string text)
    {
        var run = await FerryRun.RunAsync(["cache", .. words.Split(' ')]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BadYaml_NamesFileLineAndColumn()
    {
        var path = Path.Combine(_directory, "exchange.yaml");
        await File.WriteAllTextAsync(path, "memory:\n  size: 1GiB\n   policy: LRU\ndisk: {path: x\n");
        var run = await FerryRun.RunAsync("cache", "--config", path);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"error    {path}:", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PortTaken_IsExitCode1AndNamesThePort()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        foreach (var flag in (string[])["--resp", "--lm", "--admin"])
        {
            var others = ((string[])["--resp", "--admin"]).Where(other => other != flag).SelectMany(other => (string[])[other, "127.0.0.1:0"]);
            var run = await FerryRun.RunAsync(["cache", "--memory", "64MiB", flag, $"127.0.0.1:{port}", .. others]);
            Assert.True(run.ExitCode == 1, run.Error);
            Assert.Contains($"127.0.0.1:{port}", run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task SecondExchangeOnOneDirectory_IsRefusedAndTheFirstGoesOn()
    {
        string[] disk = ["--memory", "64MiB", "--disk", Path.Combine(_directory, "disk"), "--disk-size", "64MiB"];
        await using var first = await ExchangeProcess.StartAsync(disk);
        var second = await FerryRun.RunAsync(["cache", "--resp", "127.0.0.1:0", "--admin", "127.0.0.1:0", .. disk]);
        Assert.True(second.ExitCode == 1, second.Error);
        Assert.Contains(Path.Combine(_directory, "disk"), second.Error, StringComparison.Ordinal);
        var verify = await FerryRun.RunAsync("cache", "verify", "--disk", Path.Combine(_directory, "disk"));
        Assert.True(verify.ExitCode == 2, verify.Output + verify.Error);
        using var client = await first.ConnectAsync();
        Assert.True(await client.GetDatabase().StringSetAsync("k", "v"));
    }

    [Fact]
    public async Task NoStoreBehindTheUrl_StartsServesAndSaysSo()
    {
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        var port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        await using var exchange = await ExchangeProcess.StartAsync(
            ["--memory", "64MiB", "--remote", $"s3://no-such-bucket?endpoint=http://127.0.0.1:{port}"],
            new Dictionary<string, string> { ["AWS_ACCESS_KEY_ID"] = "id", ["AWS_SECRET_ACCESS_KEY"] = "hush-hush" });
        using var client = await exchange.ConnectAsync();
        for (var number = 0; number < 20; number++)
        {
            Assert.True(await client.GetDatabase().StringSetAsync($"k{number}", $"v{number}"));
            Assert.Equal($"v{number}", (string?)await client.GetDatabase().StringGetAsync($"k{number}"));
        }
        var started = TimeProvider.System.GetTimestamp();
        while ((await exchange.HealthAsync())["status"]!.GetValue<string>() != "degraded")
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), exchange.Tail);
            await Task.Delay(100);
        }
        Assert.Null((string?)await client.GetDatabase().StringGetAsync("nothing"));
        Assert.DoesNotContain("hush-hush", exchange.Tail + (await exchange.StateAsync()).ToJsonString() + await exchange.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoExchangeAtTheAdminAddress_IsSaidByEveryCommand()
    {
        foreach (var words in (string[])["ls", "stat", "get k", "pin k", "clear --yes", "flush", "move --from memory --to disk", "verify", $"export {_directory}/x"])
        {
            var run = await FerryRun.RunAsync(["cache", .. words.Split(' '), "--admin", "127.0.0.1:1"]);
            Assert.True(run.ExitCode == 1, words + run.Error);
            Assert.Contains("Is 'ferry cache' running there", run.Error, StringComparison.Ordinal);
        }
    }
}
