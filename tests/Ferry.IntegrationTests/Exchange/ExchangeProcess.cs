using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ferry.Cli.Up;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Exchange;

/// <summary>A real <c>ferry cache</c> process on loopback.</summary>
internal sealed partial class ExchangeProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(120); // Many start at once on two cores.
    private static readonly TimeSpan QueueDeadline = TimeSpan.FromSeconds(60);

    private readonly NodeProcess _process;
    private readonly HttpClient _http;

    private ExchangeProcess(NodeProcess process, int respPort, string admin)
    {
        _process = process;
        (RespPort, Admin) = (respPort, admin);
        _http = new HttpClient { BaseAddress = new Uri($"http://{admin}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public int RespPort { get; }

    /// <summary>HOST:PORT for the commands' <c>--admin</c>.</summary>
    public string Admin { get; }

    public string Tail => _process.Tail;

    public int ExitCode => _process.ExitCode;

    public int ProcessId => _process.ProcessId;

    /// <param name="arguments">Settings; the ports are chosen here.</param>
    public static async Task<ExchangeProcess> StartAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var spec = new NodeSpec("exchange", "", new Uri("http://127.0.0.1"),
            ["cache", "--resp", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--stop-on-stdin-close", .. arguments], environment ?? new Dictionary<string, string>());
        var process = NodeProcess.Start(spec, logFile: null);
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (ReadyLine().Match(process.Tail) is { Success: true } ready)
            {
                return new ExchangeProcess(process, int.Parse(ready.Groups["resp"].Value), ready.Groups["admin"].Value);
            }
            if (process.HasExited || TimeProvider.System.GetElapsedTime(started) > ReadyDeadline)
            {
                var tail = process.Tail;
                await process.DisposeAsync();
                Assert.Fail($"ferry cache did not become ready:{Environment.NewLine}{tail}");
            }
            await Task.Delay(30);
        }
    }

    /// <summary>A client's own connection; the caller disposes it.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsync(string? password = null) => await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
    {
        EndPoints = { new IPEndPoint(IPAddress.Loopback, RespPort) },
        AbortOnConnectFail = true,
        Password = password,
        AsyncTimeout = 30_000,
        SyncTimeout = 30_000,
    });

    public async Task<JsonObject> StateAsync() => JsonNode.Parse(await _http.GetStringAsync("/state"))!.AsObject();

    public async Task<JsonObject> HealthAsync() => JsonNode.Parse(await _http.GetStringAsync("/health"))!.AsObject();

    public Task<string> MetricsAsync() => _http.GetStringAsync("/metrics");

    /// <summary>Waits until nothing is queued for any tier and at least so many records have been written to each.</summary>
    public async Task WaitWrittenAsync(long records)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var tiers = (await StateAsync())["tiers"]!.AsArray();
            if (tiers.All(tier => tier!["queued_bytes"]!.GetValue<long>() == 0 && tier["writes"]!.GetValue<long>() >= records))
            {
                return;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(started) < QueueDeadline, $"Not written in time: {tiers.ToJsonString()}{Environment.NewLine}{Tail}");
            await Task.Delay(50);
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    [GeneratedRegex(@"ready on redis://127\.0\.0\.1:(?<resp>\d+).*http://(?<admin>127\.0\.0\.1:\d+)")]
    private static partial Regex ReadyLine();
}
