using System.Text.Json.Nodes;
using Ferry.Router;
using Ferry.Router.Configuration;
using Ferry.Router.Discovery;
using Ferry.Router.Hosting;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>A router over two prefill and two decode pods, with its admin server.</summary>
internal sealed class NodesFixture : IAsyncDisposable
{
    private NodesFixture(RouterHost host, FakeVllm[] prefill, FakeVllm[] decode)
    {
        Host = host;
        Prefill = prefill;
        Decode = decode;
        Http = new HttpClient { BaseAddress = host.Address };
        Admin = new HttpClient { BaseAddress = host.AdminAddress };
    }

    public RouterHost Host { get; }

    public FakeVllm[] Prefill { get; }

    public FakeVllm[] Decode { get; }

    public HttpClient Http { get; }

    public HttpClient Admin { get; }

    public static async Task<NodesFixture> StartAsync(Func<RouterOptions, FakeVllm[], RouterOptions>? change = null)
    {
        FakeVllm[] prefill = [await FakeVllm.StartAsync(), await FakeVllm.StartAsync()];
        FakeVllm[] decode = [await FakeVllm.StartAsync(), await FakeVllm.StartAsync()];
        var options = new RouterOptions
        {
            Prefill = [.. prefill.Select(pod => new NodeSpec(pod.Address))],
            Decode = [.. decode.Select(pod => new NodeSpec(pod.Address))],
            Host = "127.0.0.1",
            Port = 0,
            IndexBytes = 4 << 20,
            HealthInterval = TimeSpan.FromMilliseconds(100),
            SlowStart = TimeSpan.Zero,
        };
        options = change?.Invoke(options, prefill) ?? options;
        return new NodesFixture(await RouterHost.StartAsync(options, TimeProvider.System, _ => { }, CancellationToken.None), prefill, decode);
    }

    /// <summary>A router that reads a file. The pods are those of the file's text, where {0} and {1} are prefill pods and {2} is a decode pod.</summary>
    public static async Task<NodesFixture> StartAsync(string path, string text)
    {
        FakeVllm[] prefill = [await FakeVllm.StartAsync(), await FakeVllm.StartAsync()];
        FakeVllm[] decode = [await FakeVllm.StartAsync()];
        await File.WriteAllTextAsync(path, Fill(text, prefill, decode));
        var configuration = new RouterConfiguration(path, [("--port", "0"), ("--host", "127.0.0.1")], [], []);
        var errors = new List<string>();
        var options = configuration.Read(errors);
        Xunit.Assert.Empty(errors);
        return new NodesFixture(await RouterHost.StartAsync(configuration, options, TimeProvider.System, _ => { }, CancellationToken.None), prefill, decode);
    }

    public static string Fill(string text, FakeVllm[] prefill, FakeVllm[] decode) =>
        text.Replace("{0}", prefill[0].Address.ToString(), StringComparison.Ordinal).Replace("{1}", prefill[1].Address.ToString(), StringComparison.Ordinal)
            .Replace("{2}", decode[0].Address.ToString(), StringComparison.Ordinal);

    /// <summary>Sends a completion; the nodes that worked on it, as the answer's header says.</summary>
    public async Task<(int Status, string Route)> CompleteAsync(string promptJson, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent($$"""{"model":"m","prompt":{{promptJson}},"max_tokens":2}""", System.Text.Encoding.UTF8, "application/json"),
        };
        if (key is not null) { request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}"); }
        using var response = await Http.SendAsync(request);
        return ((int)response.StatusCode, response.Headers.TryGetValues("x-ferry-route", out var route) ? route.Single() : "");
    }

    public async Task<JsonNode> StateAsync() => JsonNode.Parse(await Admin.GetStringAsync("/admin/state"))!;

    public async Task<JsonNode> NodeAsync(FakeVllm pod) => (await StateAsync())["nodes"]!.AsArray().Single(node => (string?)node!["id"] == pod.Address.Authority)!;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Admin.Dispose();
        await Host.DisposeAsync();
        foreach (var pod in (FakeVllm[])[.. Prefill, .. Decode]) { await pod.DisposeAsync(); }
    }
}
