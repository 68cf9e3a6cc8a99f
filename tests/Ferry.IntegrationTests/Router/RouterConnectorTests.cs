using System.Net;
using System.Text.Json.Nodes;
using Ferry.Router.Connectors;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>How each connector meets over the two legs.</summary>
public sealed class RouterConnectorTests
{
    private const string Completion = """{"model":"stub","prompt":"Hello world","max_tokens":4}""";

    [Theory]
    [InlineData(FakeKv.Pull)]
    [InlineData(FakeKv.PullFlat)]
    [InlineData(FakeKv.Push)]
    [InlineData(FakeKv.Ferry)]
    public async Task Params_OfEveryWireForm_ReachTheDecodeNodeAsTheyCame(FakeKv kv)
    {
        await using var router = await RouterFixture.StartAsync(prepare: pod => (pod.Kv, pod.Version) = (kv, kv == FakeKv.PullFlat ? """{"version":"0.11.2"}""" : pod.Version));
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal("handed-over", RouterFixture.Kv(response));
        var wish = router.Prefill.Requests.Single().Body["kv_transfer_params"]!;
        Assert.True(wish["do_remote_decode"]!.GetValue<bool>());
        var given = router.Decode.Requests.Single().Body["kv_transfer_params"]!;
        Assert.True(given["do_remote_prefill"]!.GetValue<bool>());
        Assert.Equal(kv == FakeKv.PullFlat, given["remote_block_ids"]![0] is JsonValue);
        Assert.Equal(kv != FakeKv.PullFlat, given["remote_request_id"] is not null);
        Assert.Equal(kv == FakeKv.Ferry, given["ferry"] is not null);
    }

    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::", "127.0.0.1")]
    [InlineData("10.1.2.3", "10.1.2.3")]
    public async Task RemoteHost_ThatNobodyCanDial_BecomesThePrefillNodes(string bound, string given)
    {
        await using var router = await RouterFixture.StartAsync();
        router.Prefill.RemoteHost = bound;
        await router.PostAsync("/v1/completions", Completion);
        var parameters = router.Decode.Requests.Single().Body["kv_transfer_params"]!;
        Assert.Equal((given, 5600, 1), (parameters["remote_host"]!.GetValue<string>(), parameters["remote_port"]!.GetValue<int>(), parameters["tp_size"]!.GetValue<int>()));
    }

    [Fact]
    public async Task LmCache_LegsCarryNoParamsEvenIfTheClientSentSome()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { Connector = "lmcache" } });
        router.Prefill.Kv = FakeKv.Null;
        var (response, _) = await router.PostAsync("/v1/completions", """{"prompt":"Hello world","max_tokens":4,"kv_transfer_params":{"remote_host":"evil"}}""");
        Assert.Equal((HttpStatusCode.OK, "handed-over"), (response.StatusCode, RouterFixture.Kv(response)));
        Assert.All([router.Prefill.Requests.Single(), router.Decode.Requests.Single()], leg => Assert.False(leg.Body.ContainsKey("kv_transfer_params")));
        Assert.Equal(1, router.Prefill.Requests.Single().Body["max_tokens"]!.GetValue<int>());
        Assert.Equal(0, await router.MetricAsync("ferry_router_transfer_missing_total"));
    }

    [Theory]
    [InlineData("/v1/completions", "cmpl-", "-0")]
    [InlineData("/v1/chat/completions", "chatcmpl-", "")]
    public async Task Push_TargetIsConfigured_BothLegsRunAtOnceUnderOneId(string path, string before, string behind)
    {
        await using var router = await RouterFixture.StartAsync(Push);
        router.Prefill.Kv = FakeKv.Push;
        router.Prefill.Gate = new TaskCompletionSource();
        var pending = router.PostAsync(path, path.Contains("chat", StringComparison.Ordinal) ? """{"messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""" : Completion);
        await TestKit.Eventually.HoldsAsync(() => router.Decode.Requests.Count == 1 && router.Prefill.Requests.Count == 1);   // the decode leg is there although the prefill has not ended
        router.Prefill.Gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await pending).Response.StatusCode);
        var (prefill, decode) = (router.Prefill.Requests.Single(), router.Decode.Requests.Single());
        Assert.Equal(prefill.Headers["X-Request-Id"], decode.Headers["X-Request-Id"]);
        Assert.True(JsonNode.DeepEquals(decode.Body["kv_transfer_params"], new JsonObject
        {
            ["do_remote_prefill"] = true,
            ["do_remote_decode"] = false,
            ["remote_engine_id"] = "engine-p",
            ["remote_host"] = "10.0.0.9",
            ["remote_port"] = 5601,
            ["tp_size"] = 4,
            ["pp_size"] = 2,
            ["remote_request_id"] = before + prefill.Headers["X-Request-Id"] + behind,
        }));
    }

    [Fact]
    public async Task Push_PrefillRefuses_TheDecodeLegIsCancelledAndTheRefusalRelayed()
    {
        await using var router = await RouterFixture.StartAsync(Push);
        router.Prefill.FailsWith = 400;
        router.Decode.Gate = new TaskCompletionSource();
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        await TestKit.Eventually.HoldsAsync(() => router.Decode.InFlight == 0);
    }

    [Fact]
    public async Task Push_PrefillFails_TheOtherPrefillNodesAnswerIsHandedOver()
    {
        await using var other = await FakeVllm.StartAsync();
        other.Kv = FakeKv.Push;
        await using var router = await RouterFixture.StartAsync(options => Push(options) with { Prefill = [options.Prefill[0], other.Address] });
        router.Prefill.FailsWith = 503;
        for (var count = 0; count < 2; count++)
        {
            var (response, _) = await router.PostAsync("/v1/completions", Completion);
            Assert.Equal((HttpStatusCode.OK, "handed-over"), (response.StatusCode, RouterFixture.Kv(response)));
        }
        Assert.Equal(2, other.Requests.Count);
    }

    [Fact]
    public async Task Params_ThatTheDecodeNodeWouldIgnoreInSilence_CountAsMissing()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { Connector = "ferry" } });
        router.Prefill.Kv = FakeKv.Pull;   // no lease of a Ferry exchange in there
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.EndsWith("handover=no(kv_transfer_params have no ferry)", RouterFixture.Route(response), StringComparison.Ordinal);
        Assert.Equal("none", RouterFixture.Kv(response));
        Assert.False(router.Decode.Requests.Single().Body.ContainsKey("kv_transfer_params"));
    }

    [Fact]
    public async Task FerryNode_ProvesWhatMoved_ItIsCountedAndPassedOn()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.Headers["x-ferry-kv-handover"] = "yes";
        router.Decode.Headers["x-ferry-kv-tokens"] = "512";
        router.Decode.Headers["x-ferry-kv-bytes-moved"] = "65536";
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal("512", response.Headers.GetValues("x-ferry-kv-tokens").Single());
        Assert.Equal((512d, 65536d), (await router.MetricAsync("ferry_router_kv_moved_tokens_total"), await router.MetricAsync("ferry_router_kv_moved_bytes_total")));
    }

    [Fact]
    public async Task FerryNode_SaysThatItFetchedNothing_IsNoHandover()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.Headers["x-ferry-kv-handover"] = "no(expired lease)";
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.EndsWith("handover=no(expired lease)", RouterFixture.Route(response), StringComparison.Ordinal);
        Assert.Equal("none", RouterFixture.Kv(response));
        Assert.Equal(1, await router.MetricAsync($"ferry_router_transfer_failures_total{{prefill=\"{router.Prefill.Address.Authority}\",decode=\"{router.Decode.Address.Authority}\"}}"));
    }

    private static Ferry.Router.RouterOptions Push(Ferry.Router.RouterOptions options) => options with
    {
        Forwarding = options.Forwarding with { Connector = "nixl-push", PushTargets = [new PushTarget(options.Prefill[0].Address, "engine-p", "10.0.0.9", 5601, 4, 2)] },
    };
}
