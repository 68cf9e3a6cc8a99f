using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ferry.Cli.Up;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Processes;

/// <summary>A real <c>ferry serve</c> process on loopback with the model that ships.</summary>
internal sealed class ServeNode : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(120); // Many start at once on two cores.

    private readonly NodeProcess _process;

    private ServeNode(NodeProcess process, HttpClient http, int sideChannelPort)
    {
        _process = process;
        Http = http;
        SideChannelPort = sideChannelPort;
    }

    public static string ModelDirectory { get; } = RepositoryRoot.At("models", "ferry-tiny");

    public HttpClient Http { get; }

    public int SideChannelPort { get; }

    public Uri Url => _process.Spec.Url;

    public string Name => _process.Spec.Name;

    public string Tail => _process.Tail;

    public bool HasExited => _process.HasExited;

    /// <param name="role">kv_role; null for a node without a connector.</param>
    /// <param name="extraConfig">Members of kv_connector_extra_config as JSON, or null.</param>
    public static async Task<ServeNode> StartAsync(
        string device, int tensorParallel, string? role = "kv_both", IEnumerable<string>? arguments = null,
        IReadOnlyDictionary<string, string>? environment = null, string? extraConfig = null)
    {
        int port, sidePort;
        using (var ports = new LoopbackPorts())
        {
            (port, sidePort) = (ports.Take(0), ports.Take(0));
        }
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>())
        {
            ["VLLM_NIXL_SIDE_CHANNEL_HOST"] = "127.0.0.1",
            ["VLLM_NIXL_SIDE_CHANNEL_PORT"] = $"{sidePort}",
            ["PYTHONHASHSEED"] = "0",
        };
        var extra = extraConfig is null ? "" : $$""","kv_connector_extra_config":{{extraConfig}}""";
        string[] connector = role is null
            ? []
            : ["--kv-load", "always", "--kv-transfer-config", $$"""{"kv_connector":"NixlConnector","kv_role":"{{role}}","kv_buffer_device":"cpu"{{extra}}}"""];
        var url = new Uri($"http://127.0.0.1:{port}");
        var spec = new NodeSpec($"{device}-tp{tensorParallel}", device, url,
            [
                "serve", ModelDirectory, "--served-model-name", "ferry-tiny", "--host", "127.0.0.1", "--port", $"{port}", "--device", device, "--tensor-parallel-size", $"{tensorParallel}",
                "--threads", "1", "--stop-on-stdin-close", .. connector, .. arguments ?? [],
            ], variables);
        var node = new ServeNode(NodeProcess.Start(spec, logFile: null), new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(120) }, sidePort);
        try
        {
            await node.WaitReadyAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>POSTs the body; the answer with its status, its JSON and the proof in its headers.</summary>
    public async Task<NodeAnswer> PostAsync(string path, JsonNode body, CancellationToken cancellationToken = default)
    {
        using var response = await Http.PostAsJsonAsync(path, body, cancellationToken);
        return await NodeAnswer.ReadAsync(response, cancellationToken);
    }

    public async Task<NodeMetrics> MetricsAsync() => NodeMetrics.Parse(await Http.GetStringAsync("/metrics"));

    /// <summary>Ends the process as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.DisposeAsync();
    }

    private async Task WaitReadyAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await Http.GetAsync("/health");
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            Assert.False(_process.HasExited, $"{Name} ended while starting:{Environment.NewLine}{Tail}");
            Assert.True(TimeProvider.System.GetElapsedTime(started) < ReadyDeadline, $"{Name} was not ready in time:{Environment.NewLine}{Tail}");
            await Task.Delay(50);
        }
    }
}
