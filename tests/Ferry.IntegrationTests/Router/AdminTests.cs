using System.Net;
using Ferry.Router.Security;
using Ferry.TestKit;
using NetMQ;
using NetMQ.Sockets;

namespace Ferry.IntegrationTests.Router;

public sealed class AdminTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ferry-router-{Guid.NewGuid():N}.yaml");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task Drain_NodeAtWork_AnswersWhenItIsEmptyAndSendsNothingNew()
    {
        await using var router = await NodesFixture.StartAsync();
        var gate = new TaskCompletionSource();
        foreach (var pod in router.Prefill) { pod.Gate = gate; }
        var running = router.CompleteAsync("\"slow\"");
        await Eventually.TrueAsync(() => router.Prefill.Any(pod => pod.Requests.Count == 1), "the request never reached a prefill pod");
        var busy = router.Prefill.Single(pod => pod.Requests.Count == 1);
        var draining = router.Admin.PostAsync($"/admin/nodes/{busy.Address.Authority}/drain", null);
        await Eventually.TrueAsync(async () => (string?)(await router.NodeAsync(busy))["state"] == "draining", "the node never drained");
        Assert.False(draining.IsCompleted);
        gate.SetResult();
        Assert.Equal(200, (await running).Status);
        Assert.Equal(HttpStatusCode.OK, (await draining).StatusCode);
        foreach (var _ in Enumerable.Range(0, 6)) { Assert.DoesNotContain(busy.Address.Authority, (await router.CompleteAsync("\"next\"")).Route, StringComparison.Ordinal); }
        await router.Admin.PostAsync($"/admin/nodes/{busy.Address.Authority}/undrain", null);
        var routes = new List<string>();
        foreach (var _ in Enumerable.Range(0, 6)) { routes.Add((await router.CompleteAsync("\"next\"")).Route); }
        Assert.Contains(routes, route => route.Contains(busy.Address.Authority, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Drain_KvThatNobodyHasFetched_IsWaitedFor()
    {
        await using var router = await NodesFixture.StartAsync((options, _) => options with { LeaseTime = TimeSpan.FromSeconds(20) });
        var gate = new TaskCompletionSource();
        foreach (var pod in router.Decode) { pod.Gate = gate; }
        var running = router.CompleteAsync("\"slow\"");
        await Eventually.TrueAsync(async () => (int)(await router.NodeAsync(router.Prefill[0]))["leases"]! + (int)(await router.NodeAsync(router.Prefill[1]))["leases"]! == 1, "no lease was counted");
        var holder = router.Prefill.Single(pod => pod.Requests.Count == 1);
        using var early = await router.Admin.PostAsync($"/admin/nodes/{holder.Address.Authority}/drain?timeout=0.1", null);
        Assert.Equal(HttpStatusCode.Accepted, early.StatusCode);
        gate.SetResult();
        await running;
        using var late = await router.Admin.PostAsync($"/admin/nodes/{holder.Address.Authority}/drain?timeout=10", null);
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
    }

    [Fact]
    public async Task Drain_UnknownNode_NamesThoseThatThereAre()
    {
        await using var router = await NodesFixture.StartAsync();
        using var response = await router.Admin.PostAsync("/admin/nodes/nowhere:1/drain", null);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains(router.Decode[0].Address.Authority, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var bad = await router.Admin.PostAsync($"/admin/nodes/{router.Decode[0].Address.Authority}/drain?timeout=-1", null);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
    }

    [Fact]
    public async Task Admin_FromAWebPage_IsRefused()
    {
        await using var router = await NodesFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/admin/nodes/{router.Decode[0].Address.Authority}/drain");
        request.Headers.Add("Origin", "http://evil.example");
        using var response = await router.Admin.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("up", (string?)(await router.NodeAsync(router.Decode[0]))["state"]);
    }

    [Fact]
    public async Task Admin_WithATokenFile_AsksForTheToken()
    {
        await File.WriteAllTextAsync(_path, "s3cret\n");
        await using var router = await NodesFixture.StartAsync((options, _) => options with { AdminTokenFile = _path });
        using var without = await router.Admin.GetAsync("/admin/state");
        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        router.Admin.DefaultRequestHeaders.Add("Authorization", "Bearer s3cret");
        using var with = await router.Admin.GetAsync("/admin/state");
        Assert.Equal(HttpStatusCode.OK, with.StatusCode);
    }

    [Fact]
    public async Task Reload_GoodThenBad_TakesTheOneAndKeepsItThroughTheOther()
    {
        const string First = "policy: round-robin\nprefill: [\"{0}\"]\ndecode: [\"{2}\"]\ndiscovery: {interval: 50ms}\n";
        await using var router = await NodesFixture.StartAsync(_path, First);
        // By itself, because the file changed:
        await File.WriteAllTextAsync(_path, NodesFixture.Fill("policy: least-loaded\nprefill: [\"{0}\", \"{1}\"]\ndecode: [\"{2}\"]\ndiscovery: {interval: 1h}\n", router.Prefill, router.Decode));
        await Eventually.TrueAsync(async () => (string?)(await router.StateAsync())["policy"] == "least-loaded", "the file was never read again");
        Assert.Equal(3, (await router.StateAsync())["nodes"]!.AsArray().Count);
        // And when asked; nothing of a bad file is taken.
        await File.WriteAllTextAsync(_path, NodesFixture.Fill("policy: cost-based\nprefill: [\"{0}\"]\ndecode: [\"{2}\"]\nprefixx: 1\n", router.Prefill, router.Decode));
        using var refused = await router.Admin.PostAsync("/admin/reload", null);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains($"{_path}:4:1: unknown key 'prefixx'. Did you mean 'prefix'?", (await refused.Content.ReadAsStringAsync()).Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        var state = await router.StateAsync();
        Assert.Equal(("least-loaded", 3, 1), ((string?)state["policy"], state["nodes"]!.AsArray().Count, state["reload_errors"]!.AsArray().Count));
        Assert.Equal(200, (await router.CompleteAsync("\"still here\"")).Status);
        // A setting that counts only at start is refused, too.
        await File.WriteAllTextAsync(_path, NodesFixture.Fill("policy: cost-based\nprefill: [\"{0}\"]\ndecode: [\"{2}\"]\nprefix: {indexBytes: 1MiB}\n", router.Prefill, router.Decode));
        using var start = await router.Admin.PostAsync("/admin/reload", null);
        Assert.Contains("prefix.indexBytes changed from", await start.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ApiKeys_OneWithALimit_IsServedCountedAndKeptFromNodes()
    {
        var (key, _) = ApiKey.Create("team");
        await File.WriteAllTextAsync(_path, $"keys:\n  - {{name: team, sha256: {ApiKey.Hash(key)}, requestsPerMinute: 2}}\n");
        await using var router = await NodesFixture.StartAsync((options, _) => options with { ApiKeysFile = _path });
        Assert.Equal(401, (await router.CompleteAsync("\"x\"")).Status);
        Assert.Equal(200, (await router.CompleteAsync("\"x\"", key)).Status);
        Assert.Equal(200, (await router.CompleteAsync("\"x\"", key)).Status);
        Assert.Equal(429, (await router.CompleteAsync("\"x\"", key)).Status);
        Assert.All(router.Prefill.Concat(router.Decode).SelectMany(pod => pod.Requests), request => Assert.False(request.Headers.ContainsKey("Authorization")));
        await Eventually.TrueAsync(
            async () => await router.Http.GetStringAsync("/metrics") is var metrics && new[] { 401, 429 }.All(status => metrics.Contains($"ferry_router_requests_total{{path=\"/v1/completions\",status=\"{status}\"}} 1", StringComparison.Ordinal)),
            "refused requests were not counted by their path");
    }

    [Fact]
    public async Task Metrics_OfAStream_HaveVllmsStemsAndBuckets()
    {
        await using var router = await RouterFixture.StartAsync();
        var streams = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                router.Decode.StreamGate = new TaskCompletionSource(); // Between the first event and the others, so that they come apart, unless a busy machine keeps the router from reading.
                var (response, reader) = await router.OpenAsync("/v1/completions", """{"model":"stub","prompt":"x","max_tokens":8,"stream":true}""", TestContext.Current.CancellationToken);
                await reader.ReadLineAsync(TestContext.Current.CancellationToken);
                router.Decode.StreamGate.SetResult();
                await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
                response.Dispose();
                streams++;
                return await router.MetricAsync("ferry_router_inter_token_latency_seconds_count") > 0;
            },
            "no time between events was ever counted");
        await Eventually.TrueAsync(async () => await router.MetricAsync("ferry_router_e2e_request_latency_seconds_count") == streams, "the request was never counted");
        Assert.Equal(streams, await router.MetricAsync("ferry_router_time_to_first_token_seconds_count"));
        Assert.Equal(streams, await router.MetricAsync("ferry_router_request_time_per_output_token_seconds_count"));
        Assert.Equal(streams, await router.MetricAsync("ferry_router_leg_first_byte_seconds_count{leg=\"prefill\"}"));
        Assert.Equal(streams, await router.MetricAsync("ferry_router_leg_first_byte_seconds_count{leg=\"decode\"}"));
        var metrics = await router.Http.GetStringAsync("/metrics");
        // vLLM's edges (vllm/v1/metrics/loggers.py): a histogram of other edges cannot be laid over its own.
        Assert.Equal("0.001 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 20.0 40.0 80.0 160.0 640.0 2560.0 +Inf", EdgesOf(metrics, "ferry_router_time_to_first_token_seconds"));
        Assert.Equal("0.01 0.025 0.05 0.075 0.1 0.15 0.2 0.3 0.4 0.5 0.75 1.0 2.5 5.0 7.5 10.0 20.0 40.0 80.0 +Inf", EdgesOf(metrics, "ferry_router_inter_token_latency_seconds"));
        Assert.Equal("0.01 0.025 0.05 0.075 0.1 0.15 0.2 0.3 0.4 0.5 0.75 1.0 2.5 5.0 7.5 10.0 20.0 40.0 80.0 +Inf", EdgesOf(metrics, "ferry_router_request_time_per_output_token_seconds"));
        Assert.Equal("0.3 0.5 0.8 1.0 1.5 2.0 2.5 5.0 10.0 15.0 20.0 30.0 40.0 50.0 60.0 120.0 240.0 480.0 960.0 1920.0 7680.0 +Inf", EdgesOf(metrics, "ferry_router_e2e_request_latency_seconds"));
    }

    [Fact]
    public async Task Metrics_OfNodes_HaveOneGaugeEach()
    {
        await using var router = await NodesFixture.StartAsync();
        await router.CompleteAsync("\"x\"");
        var metrics = await router.Http.GetStringAsync("/metrics");
        foreach (var pod in router.Prefill) { Assert.Contains($"ferry_router_node_up{{node=\"{pod.Address.Authority}\",role=\"prefill\"}} 1.0", metrics, StringComparison.Ordinal); }
        Assert.Contains("ferry_router_time_to_first_token_seconds_bucket{le=\"0.001\"}", metrics, StringComparison.Ordinal);
        Assert.Contains("ferry_router_leg_seconds_count{leg=\"prefill\"} 1.0", metrics, StringComparison.Ordinal);
        Assert.Contains("ferry_router_leg_seconds_count{leg=\"decode\"} 1.0", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SideChannel_ThatDoesNotAnswer_TakesTheNodeDownThoughHttpIsWell()
    {
        using var listener = new RouterSocket();
        var port = listener.BindRandomPort("tcp://127.0.0.1");
        using var poller = new NetMQPoller { listener };
        listener.ReceiveReady += (_, _) =>
        {
            var question = listener.ReceiveMultipartMessage();
            if (!question[2].ToByteArray().AsSpan().SequenceEqual(Convert.FromHexString("93c40c6765745f6d6574615f6d73670000"))) { return; }
            // {"compatibility_hash": "x", "agent_metadata_bytes": bin(0)} as a node answers, and its clock.
            listener.SendMoreFrame(question[0].ToByteArray()).SendMoreFrameEmpty()
                .SendMoreFrame([0x82, 0xb2, .. "compatibility_hash"u8, 0xa1, (byte)'x', 0xb4, .. "agent_metadata_bytes"u8, 0xc4, 0]).SendFrame([0xcb, 0, 0, 0, 0, 0, 0, 0, 0]);
        };
        poller.RunAsync();
        var nowhere = RouterFixture.Nowhere().Port;
        await using var router = await NodesFixture.StartAsync((options, pods) => options with
        {
            HealthTimeout = TimeSpan.FromMilliseconds(500),
            Prefill =
            [
                new Ferry.Router.Discovery.NodeSpec(pods[0].Address) { SideChannel = $"tcp://127.0.0.1:{port}" },
                new Ferry.Router.Discovery.NodeSpec(pods[1].Address) { SideChannel = $"tcp://127.0.0.1:{nowhere}" },
            ],
        });
        await Eventually.TrueAsync(async () => (string?)(await router.NodeAsync(router.Prefill[1]))["state"] == "down", "a node without side channel stayed up");
        Assert.Contains("side channel", (string?)(await router.NodeAsync(router.Prefill[1]))["probe_error"], StringComparison.Ordinal);
        Assert.Equal("up", (string?)(await router.NodeAsync(router.Prefill[0]))["state"]);
    }

    [Fact]
    public async Task Queue_MoreThanInFlight_AreServedOneAfterTheOtherAndTheRestGets429()
    {
        await using var router = await NodesFixture.StartAsync((options, _) => options with { MaxInFlight = 1, MaxQueue = 1 });
        var gate = new TaskCompletionSource();
        foreach (var pod in router.Prefill) { pod.Gate = gate; }
        var first = router.CompleteAsync("\"a\"");
        await Eventually.TrueAsync(() => router.Prefill.Any(pod => pod.Requests.Count == 1), "the first request never arrived");
        var second = router.CompleteAsync("\"b\"");
        await Eventually.TrueAsync(async () => (int)(await router.StateAsync())["admission"]!["waiting"]! == 1, "the second request never queued");
        Assert.Equal(429, (await router.CompleteAsync("\"c\"")).Status);
        gate.SetResult();
        Assert.Equal((200, 200), ((await first).Status, (await second).Status));
    }

    /// <summary>The upper edges of a histogram without labels.</summary>
    private static string EdgesOf(string metrics, string name) =>
        string.Join(' ', metrics.Split('\n').Where(line => line.StartsWith($"{name}_bucket{{le=\"", StringComparison.Ordinal)).Select(line => line.Split('"')[1]));
}
