using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>The commands against a running exchange, and its end.</summary>
public sealed class OperationsTests : IDisposable
{
    private const string Token = "a-token-of-an-operator";

    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-operations-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Commands_AgainstARunningExchange_ShowMoveAndBringBackWhatItHolds()
    {
        await using var exchange = await ExchangeProcess.StartAsync(
            ["--memory", "64MiB", "--disk", Path.Combine(_directory, "disk"), "--disk-size", "256MiB", "--remote", new Uri(Path.Combine(_directory, "shared")).AbsoluteUri]);
        using var client = await exchange.ConnectAsync();
        var values = Enumerable.Range(0, 12).ToDictionary(number => $"key-{number}", number => Encoding.ASCII.GetBytes(new string((char)('a' + number), 5000 + number)));
        foreach (var (key, value) in values)
        {
            await client.GetDatabase().StringSetAsync(key, value);
        }
        var flushed = (await ObjectAsync("flush", "--admin", exchange.Admin, "--json"))["tiers"]!.AsObject();
        Assert.Equal([("disk", 12, 0), ("directory", 12, 0)], flushed.Select(tier => (tier.Key, tier.Value!["written"]!.GetValue<int>(), tier.Value["failed"]!.GetValue<int>())));

        var listed = await LinesAsync("ls", "--admin", exchange.Admin, "--json");
        Assert.Equal(values.Keys.Order(), listed.Where(row => row["key"] is not null).Select(row => row["key"]!.GetValue<string>()).Order());
        Assert.Equal(12, (await LinesAsync("ls", "--admin", exchange.Admin, "--json", "--tier", "disk"))[^1]["records"]!.GetValue<int>());
        Assert.Equal(12, (await LinesAsync("ls", "--admin", exchange.Admin, "--json", "--tier", "directory"))[^1]["records"]!.GetValue<int>());

        var stat = await ObjectAsync("stat", "key-3", "--admin", exchange.Admin, "--json");
        Assert.Equal(["memory", "disk", "directory"], stat["places"]!.AsArray().Select(place => place!["tier"]!.GetValue<string>()));
        Assert.Equal(1, (await FerryRun.RunAsync("cache", "stat", "key-99", "--admin", exchange.Admin)).ExitCode);

        var file = Path.Combine(_directory, "value");
        await DoneAsync("get", "key-3", "-o", file, "--admin", exchange.Admin);
        Assert.Equal(values["key-3"], await File.ReadAllBytesAsync(file));
        Assert.Equal(1, (await FerryRun.RunAsync("cache", "get", "key-99", "-o", file, "--admin", exchange.Admin)).ExitCode);

        await DoneAsync("pin", "key-3", "--ttl", "600", "--admin", exchange.Admin);
        Assert.Equal("hard", (await LinesAsync("ls", "key-3", "--admin", exchange.Admin, "--json"))[0]["pin"]!.GetValue<string>());
        await DoneAsync("pin", "key-3", "--release", "--admin", exchange.Admin);

        foreach (var tier in (string[])["disk", "directory"])
        {
            var report = await ObjectAsync("verify", "--tier", tier, "--admin", exchange.Admin, "--json");
            Assert.Equal((12, 0), (report["records"]!.GetValue<int>(), report["damaged"]!.GetValue<int>()));
        }

        var export = Path.Combine(_directory, "kv.ferry");
        Assert.Equal(12, (await ObjectAsync("export", export, "--admin", exchange.Admin, "--json"))["records"]!.GetValue<int>());

        Assert.Equal(2, (await FerryRun.RunAsync("cache", "clear", "--admin", exchange.Admin)).ExitCode);
        await DoneAsync("clear", "--yes", "--admin", exchange.Admin);
        foreach (var key in values.Keys)
        {
            Assert.False(await client.GetDatabase().KeyExistsAsync(key));
        }

        Assert.Equal(12, (await ObjectAsync("import", export, "--admin", exchange.Admin, "--json"))["imported"]!.GetValue<int>());
        Assert.Equal(12, (await ObjectAsync("import", export, "--admin", exchange.Admin, "--json"))["present"]!.GetValue<int>());
        await DoneAsync("move", "--from", "memory", "--to", "disk", "--admin", exchange.Admin);
        Assert.Equal(0, (await LinesAsync("ls", "--admin", exchange.Admin, "--json"))[^1]["records"]!.GetValue<int>());
        foreach (var (key, value) in values)
        {
            Assert.Equal(value, (byte[]?)await client.GetDatabase().StringGetAsync(key));
        }

        await using (var damaged = new FileStream(export, FileMode.Open))
        {
            damaged.Seek(20_000, SeekOrigin.Begin);
            damaged.WriteByte(0xFF);
        }
        await DoneAsync("clear", "--yes", "--admin", exchange.Admin);
        var broken = await FerryRun.RunAsync("cache", "import", export, "--admin", exchange.Admin);
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("is damaged", broken.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DamagedFile_IsFoundByVerifyAndNamed()
    {
        var shared = Path.Combine(_directory, "shared");
        await using var exchange = await ExchangeProcess.StartAsync(["--memory", "64MiB", "--remote", new Uri(shared).AbsoluteUri]);
        using var client = await exchange.ConnectAsync();
        await client.GetDatabase().StringSetAsync("one", new byte[9000]);
        await client.GetDatabase().StringSetAsync("two", new byte[9000]);
        await exchange.WaitWrittenAsync(2);
        var file = Directory.GetFiles(shared, "*.kv", SearchOption.AllDirectories)[0];
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[5000] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        var run = await FerryRun.RunAsync("cache", "verify", "--admin", exchange.Admin);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(Path.GetFileName(file), run.Output, StringComparison.Ordinal);
        var offline = await FerryRun.RunAsync("cache", "verify", "--remote", new Uri(shared).AbsoluteUri, "--json");
        Assert.Equal((1, 1), (offline.ExitCode, JsonNode.Parse(offline.Output)!["damaged"]!.GetValue<int>()));
    }

    [Fact]
    public async Task AdminToken_WithoutIt_NothingButHealthIsAnswered()
    {
        await using var exchange = await ExchangeProcess.StartAsync(["--memory", "64MiB"], new Dictionary<string, string> { ["FERRY_ADMIN_TOKEN"] = Token });
        using var http = new HttpClient { BaseAddress = new Uri($"http://{exchange.Admin}") };
        foreach (var path in (string[])["/metrics", "/state", "/v1/records", "/v1/export"])
        {
            using var answer = await http.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
        Assert.Equal("ok", (await exchange.HealthAsync())["status"]!.GetValue<string>());
        Assert.Equal(1, (await FerryRun.RunAsync("cache", "stat", "--admin", exchange.Admin)).ExitCode);
        var file = Path.Combine(_directory, "token");
        await File.WriteAllTextAsync(file, Token + "\n");
        await DoneAsync("stat", "--admin", exchange.Admin, "--admin-token-file", file);
        Assert.DoesNotContain(Token, exchange.Tail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Terminated_WithAQueue_WritesItFirst()
    {
        string[] settings = ["--memory", "256MiB", "--disk", Path.Combine(_directory, "disk"), "--disk-size", "512MiB"];
        await using (var exchange = await ExchangeProcess.StartAsync(settings))
        {
            using var client = await exchange.ConnectAsync();
            for (var number = 0; number < 30; number++)
            {
                await client.GetDatabase().StringSetAsync($"k{number}", Encoding.ASCII.GetBytes(new string('x', 1_000_000 + number)));
            }
            await SignalAsync(exchange, "TERM");
            await ExitAsync(exchange, TimeSpan.FromSeconds(30));
            Assert.Equal(0, exchange.ExitCode);
        }
        await using var again = await ExchangeProcess.StartAsync(settings);
        using var reader = await again.ConnectAsync();
        for (var number = 0; number < 30; number++)
        {
            Assert.Equal(1_000_000 + number, await reader.GetDatabase().StringLengthAsync($"k{number}"));
        }
    }

    [Fact]
    public async Task Terminated_Twice_EndsAtOnce()
    {
        // A store that takes connections and never answers: the queue cannot be written, the drain would last its whole time.
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var exchange = await ExchangeProcess.StartAsync(
            ["--memory", "64MiB", "--drain", "10m", "--tier-deadline", "5m", "--remote", $"s3://kvcache?endpoint=http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}"],
            new Dictionary<string, string> { ["AWS_ACCESS_KEY_ID"] = "id", ["AWS_SECRET_ACCESS_KEY"] = "secret" });
        using var client = await exchange.ConnectAsync();
        for (var number = 0; number < 50; number++)
        {
            await client.GetDatabase().StringSetAsync($"k{number}", new byte[100_000]);
        }
        await SignalAsync(exchange, "TERM");
        await Task.Delay(1000);
        await SignalAsync(exchange, "TERM");
        await ExitAsync(exchange, TimeSpan.FromSeconds(10));
        Assert.Equal(130, exchange.ExitCode);
    }

    private static async Task SignalAsync(ExchangeProcess exchange, string signal)
    {
        using var kill = System.Diagnostics.Process.Start("kill", [$"-{signal}", $"{exchange.ProcessId}"]);
        await kill.WaitForExitAsync();
    }

    private static async Task ExitAsync(ExchangeProcess exchange, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            await exchange.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It did not end within {patience}:{Environment.NewLine}{exchange.Tail}");
        }
    }

    private static async Task<FerryRun> DoneAsync(params string[] words)
    {
        var run = await FerryRun.RunAsync(["cache", .. words]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', words)}: {run.ExitCode} {run.Output}{run.Error}");
        return run;
    }

    private static async Task<JsonObject> ObjectAsync(params string[] words) => JsonNode.Parse((await DoneAsync(words)).Output)!.AsObject();

    private static async Task<List<JsonObject>> LinesAsync(params string[] words) =>
        [.. (await DoneAsync(words)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
}
