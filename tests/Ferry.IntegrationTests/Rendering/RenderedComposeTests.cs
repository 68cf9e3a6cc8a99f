using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Docker;
using Ferry.IntegrationTests.Exchange;
using Ferry.IntegrationTests.Processes;
using Ferry.TestKit;
using Ferry.TestKit.Lab;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Rendering;

/// <summary>The compose files on a real engine: a CPU cluster that serves, and the exchanges of a vLLM cluster, which two sides of unlike size use as LMCache does.</summary>
[Collection(DockerFixture.Collection)]
public sealed class RenderedComposeTests(DockerFixture docker) : IAsyncLifetime
{
    private const int BasePort = 19_100;
    private const string Password = "0123456789abcdef0123456789abcdef";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    private readonly string _root = Directory.CreateTempSubdirectory("ferry-compose-").FullName;
    private readonly string _cluster = DockerFixture.NextName("composed");
    private readonly List<string> _started = [];

    private string Output => Path.Combine(_root, "out");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _started)
        {
            await ComposeAsync(node, "down", "--volumes");
        }
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task ComposeFiles_OfACpuCluster_ServeARequestWithItsKvMoved()
    {
        await RenderAsync("--engine", "ferry");
        foreach (var node in (string[])["prefill-0", "decode-0", "router"])
        {
            await UpAsync(node);
        }
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        await WaitAsync(client, new Uri($"http://127.0.0.1:{BasePort + 2}/health"));
        using var response = await client.PostAsJsonAsync($"http://127.0.0.1:{BasePort + 2}/v1/completions", new JsonObject { ["model"] = "tiny", ["prompt"] = "Once upon a time there was a dog named Max who liked berries.", ["max_tokens"] = 4 });
        var answer = await NodeAnswer.ReadAsync(response, CancellationToken.None);
        Assert.Equal("handed-over", answer.Headers.GetValueOrDefault("x-ferry-kv"));
    }

    [Fact]
    public async Task ExchangesOfACompose_OfAVllmCluster_GiveEachSideItsOwnShardsForThePasswordOnly()
    {
        await RenderAsync();
        await UpAsync("prefill-0", "prefill-0-exchange");
        await UpAsync("decode-0", "decode-0-exchange");
        using var http = new HttpClient();
        await WaitAsync(http, new Uri($"http://127.0.0.1:{BasePort + 4}/health"));
        await WaitAsync(http, new Uri($"http://127.0.0.1:{BasePort + 6}/health"));
        await Assert.ThrowsAnyAsync<RedisException>(async () => await ConnectAsync(BasePort + 3, "wrong"));
        await using var prefill = await ConnectAsync(BasePort + 3, Password);
        await using var decode = await ConnectAsync(BasePort + 5, Password);
        for (var chunk = 0; chunk < 3; chunk++)
        {
            await LmCacheFleet.PutAsync(prefill.GetDatabase(), chunk, worldSize: 4);
            await LmCacheFleet.AssertGetsAsync(decode.GetDatabase(), chunk, worldSize: 2); // From its own exchange, which reads from the other.
        }
        // The exchange's own command, as the file's health check runs it.
        var started = TimeProvider.System.GetTimestamp();
        string health;
        do
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < StartDeadline, "The container did not become healthy.");
            await Task.Delay(250);
            health = (await docker.Lab.DockerAsync("inspect", "--format", "{{.State.Health.Status}}", $"{_cluster}-decode-0-exchange")).Output.Trim();
        }
        while (health == "starting");
        Assert.Equal("healthy", health);
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(int port, string password) => await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
    {
        EndPoints = { new IPEndPoint(IPAddress.Parse("127.0.0.3"), port) },
        User = "default",
        Password = password,
        AbortOnConnectFail = true,
        ConnectTimeout = 5000,
    });

    private async Task RenderAsync(params string[] flags)
    {
        var description = Path.Combine(_root, "ferry.yaml");
        var isFerry = flags.Length > 0;
        await File.WriteAllTextAsync(description, $$"""
            name: {{_cluster}}
            model:
              id: {{(isFerry ? RepositoryRoot.At("models", "ferry-tiny") : LmCacheFleet.Model)}}
              servedName: tiny
              maxLength: 512
              shape: {layers: {{LmCacheFleet.Layers}}, hidden: 128, heads: 8, kvHeads: {{LmCacheFleet.KvHeads}}, headDim: {{LmCacheFleet.HeadDim}}, parameters: 1000000}
            pools:
              - {name: prefill, role: prefill, accelerator: mi300x, engine: {version: 0.24.0}, tensorParallel: 4, limits: {sequences: 4}, port: {{BasePort}}, nodes: [{name: prefill-0, address: {{(isFerry ? "127.0.0.2" : "127.0.0.3")}}}]}
              - {name: decode, role: decode, accelerator: gaudi3, engine: {version: 0.24.0}, tensorParallel: 2, blockTokens: 64, limits: {sequences: 4}, port: {{BasePort + 1}}, nodes: [{name: decode-0, address: 127.0.0.3}]}
            cache: {memory: 256MiB, chunkTokens: {{LmCacheFleet.ChunkTokens}}, respPort: {{BasePort + 3}}, adminPort: {{BasePort + 4}}, image: "{{DockerLab.Image}}"}
            router: {address: 127.0.0.1, port: {{BasePort + 2}}, adminPort: {{BasePort + 5}}}
            """);
        var run = await FerryRun.RunAsync(["render", "compose", "-f", description, "-o", Output, .. flags]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    private async Task UpAsync(string node, params string[] services)
    {
        _started.Add(node);
        var run = await ComposeAsync(node, ["up", "--detach", .. services]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
    }

    /// <summary>A project a node, as a directory a machine is.</summary>
    private Task<LabRun> ComposeAsync(string node, params string[] words) => docker.Lab.RunAsync(
        "docker-compose", ["--project-name", $"{_cluster}-{node}", "--project-directory", Path.Combine(Output, node), "--file", Path.Combine(Output, node, "compose.yaml"), .. words],
        new Dictionary<string, string> { ["FERRY_RESP_PASSWORD"] = Password, ["FERRY_SHARED_SECRET"] = "a-secret-of-this-test-and-no-other" });

    private static async Task WaitAsync(HttpClient client, Uri url)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(url);
                if (response.IsSuccessStatusCode) { return; }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            Assert.True(TimeProvider.System.GetElapsedTime(started) < StartDeadline, $"{url} did not become well.");
            await Task.Delay(100);
        }
    }
}
