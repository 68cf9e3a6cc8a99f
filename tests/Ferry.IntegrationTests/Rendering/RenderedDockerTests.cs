using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ferry.Cli.Up;
using Ferry.IntegrationTests.Docker;
using Ferry.IntegrationTests.Processes;
using Ferry.TestKit;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Rendering;

/// <summary>The docker scripts as a user runs them, on a real engine: three machines of one cluster, here three loopback addresses, and a hand-over between two of them.</summary>
[Collection(DockerFixture.Collection)]
public sealed class RenderedDockerTests(DockerFixture docker) : IAsyncLifetime
{
    private const int PrefillPort = 18_100;
    private const int DecodePort = 18_200;
    private const int RouterPort = 18_900;
    private const string Prompt = "Once upon a time there was a little dog named Max. Max lived in a small house near the woods with a girl named Lily. Every day they went out to play.";

    private static readonly Dictionary<string, string> Secrets = new() { ["FERRY_SHARED_SECRET"] = "a-secret-of-this-test-and-no-other" };

    private readonly string _root = Directory.CreateTempSubdirectory("ferry-docker-render-").FullName;
    private readonly string _cluster = DockerFixture.NextName("rendered");
    private readonly string[] _nodes = ["prefill-0", "decode-0", "router"];

    private string Output => Path.Combine(_root, "out");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Reverse().Where(node => File.Exists(Script(node, "down.sh"))))
        {
            await docker.Lab.RunAsync(Script(node, "down.sh"), ["--volumes"]);
        }
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Scripts_OfACpuCluster_StartItServeARequestWithItsKvMovedAndStopIt()
    {
        await RenderAsync();
        foreach (var node in _nodes)
        {
            await SucceedAsync(node, "up.sh");
        }
        await AssertHandsOverAsync();
        await AssertSecretsStandInNoCommandAsync();
        Assert.Contains("well", await SucceedAsync("decode-0", "status.sh"), StringComparison.Ordinal);

        // What runs already is left alone; what runs with other settings is not touched.
        Assert.Contains("runs already", await SucceedAsync("prefill-0", "up.sh"), StringComparison.Ordinal);
        var script = await File.ReadAllTextAsync(Script("prefill-0", "up.sh"));
        await File.WriteAllTextAsync(Script("prefill-0", "up.sh"), System.Text.RegularExpressions.Regex.Replace(script, "(is_new [^ ]+) [0-9a-f]+", "$1 0123456789abcdef"));
        var other = await RunAsync("prefill-0", "up.sh");
        Assert.Equal((1, true), (other.ExitCode, other.Error.Contains("./down.sh", StringComparison.Ordinal)));

        foreach (var node in _nodes.Reverse())
        {
            await SucceedAsync(node, "down.sh");
        }
        Assert.Equal("", (await docker.Lab.DockerAsync("ps", "--all", "--quiet", "--filter", $"name={_cluster}-")).Output);
        Assert.Equal(1, (await RunAsync("prefill-0", "status.sh")).ExitCode);
    }

    [Fact]
    public async Task UpScript_WithoutItsSecret_SaysWhichAndStartsNothing()
    {
        await RenderAsync();
        var run = await docker.Lab.RunAsync(Script("prefill-0", "up.sh"), []);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("FERRY_SHARED_SECRET: export it before", run.Error, StringComparison.Ordinal);
        Assert.Equal("", (await docker.Lab.DockerAsync("ps", "--all", "--quiet", "--filter", $"name={_cluster}-")).Output);
    }

    private async Task RenderAsync()
    {
        var description = Path.Combine(_root, "ferry.yaml");
        await File.WriteAllTextAsync(description, $$"""
            name: {{_cluster}}
            model:
              id: {{RepositoryRoot.At("models", "ferry-tiny")}}
              servedName: ferry-tiny
              maxLength: 1024
              shape: {layers: 4, hidden: 128, heads: 8, kvHeads: 4, headDim: 32, parameters: 1115264}
            pools:
              - name: prefill
                role: prefill
                accelerator: mi300x
                engine: {kind: vllm, version: 0.24.0}
                tensorParallel: 4
                limits: {sequences: 4}
                port: {{PrefillPort}}
                nodes: [{name: prefill-0, address: 127.0.0.2}]
              - name: decode
                role: decode
                accelerator: gaudi3
                engine: {kind: vllm, version: 0.24.0}
                tensorParallel: 2
                limits: {sequences: 4}
                port: {{DecodePort}}
                nodes: [{name: decode-0, address: 127.0.0.3}]
            cache: {memory: 64MiB, chunkTokens: 128, image: "{{DockerLab.Image}}"}
            router: {address: 127.0.0.1, port: {{RouterPort}}, adminPort: {{RouterPort + 1}}}
            """);
        var run = await FerryRun.RunAsync("render", "docker", "-f", description, "-o", Output, "--engine", "ferry");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal("", run.Error);
    }

    private async Task AssertHandsOverAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        await WaitHealthyAsync(client);
        using var response = await client.PostAsJsonAsync($"http://127.0.0.1:{RouterPort}/v1/completions", Body());
        var answer = await NodeAnswer.ReadAsync(response, CancellationToken.None);
        Assert.True(response.IsSuccessStatusCode, answer.Body.ToJsonString());
        Assert.Equal("handed-over", answer.Headers.GetValueOrDefault("x-ferry-kv"));
        Assert.Contains("handover=yes", answer.Headers["x-ferry-route"], StringComparison.Ordinal);
        // The same tokens as from one node alone, and the decode node's own word that bytes came from its peer.
        using var plain = await client.PostAsJsonAsync($"http://127.0.0.3:{DecodePort}/v1/completions", Body());
        Assert.Equal((await NodeAnswer.ReadAsync(plain, CancellationToken.None)).Text, answer.Text);
        var metrics = await client.GetStringAsync($"http://127.0.0.3:{DecodePort}/metrics");
        Assert.True(NodeMetrics.Parse(metrics)["ferry_kv_bytes_moved_total"] > 0, metrics);
    }

    private static JsonObject Body() => new() { ["model"] = "ferry-tiny", ["prompt"] = Prompt, ["max_tokens"] = 8, ["temperature"] = 0 };

    /// <summary>The router takes a request once its probes have found both nodes.</summary>
    private static async Task WaitHealthyAsync(HttpClient client)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var response = await client.GetAsync($"http://127.0.0.1:{RouterPort}/health");
            if (response.IsSuccessStatusCode) { return; }
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "The router found no nodes.");
            await Task.Delay(100);
        }
    }

    /// <summary>The secret is in the container's environment, by name; on no command line, in no label, in no file.</summary>
    private async Task AssertSecretsStandInNoCommandAsync()
    {
        var secret = Secrets["FERRY_SHARED_SECRET"];
        var inspected = JsonNode.Parse((await docker.Lab.DockerAsync("inspect", $"{_cluster}-prefill-0")).Output)![0]!;
        Assert.DoesNotContain(secret, inspected["Args"]!.ToJsonString() + inspected["Config"]!["Labels"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains(secret, inspected["Config"]!["Env"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.All(Directory.EnumerateFiles(Output, "*", SearchOption.AllDirectories), file => Assert.DoesNotContain(secret, File.ReadAllText(file), StringComparison.Ordinal));
    }

    private string Script(string node, string name) => Path.Combine(Output, node, name);

    private Task<LabRun> RunAsync(string node, string script) => docker.Lab.RunAsync(Script(node, script), [], Secrets);

    private async Task<string> SucceedAsync(string node, string script)
    {
        var run = await RunAsync(node, script);
        Assert.True(run.ExitCode == 0, $"{node}/{script}:{Environment.NewLine}{run.Output}{run.Error}");
        return run.Output;
    }
}
