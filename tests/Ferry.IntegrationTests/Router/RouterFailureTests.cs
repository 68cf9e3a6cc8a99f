using System.Net;
using System.Text.Json.Nodes;
using Ferry.Router;
using Ferry.TestKit;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>The failure semantics of docs/router.md, sentence by sentence.</summary>
public sealed class RouterFailureTests
{
    private const string Completion = """{"model":"stub","prompt":"Hello world","max_tokens":4}""";
    private const string Stream = """{"model":"stub","prompt":"Hello world","max_tokens":4,"stream":true}""";

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(429)]
    public async Task Prefill_4xx_IsRelayedVerbatimAndNobodyElseIsAsked(int status)
    {
        await using var other = await FakeVllm.StartAsync();
        await using var router = await RouterFixture.StartAsync(options => options with { Prefill = [options.Prefill[0], other.Address] });
        (router.Prefill.FailsWith, other.FailsWith) = (status, status);
        router.Prefill.Headers["Retry-After"] = other.Headers["Retry-After"] = "7";
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal((status, "7"), ((int)response.StatusCode, response.Headers.GetValues("Retry-After").Single()));
        Assert.Equal($$$"""{"error":{"message":"as told","type":"BadRequestError","param":null,"code":{{{status}}}}}""", text);
        Assert.Empty(router.Decode.Requests);
        Assert.Single(router.Prefill.Requests.Concat(other.Requests));
    }

    [Theory]
    [InlineData("5xx")]
    [InlineData("refused")]
    [InlineData("slow")]
    [InlineData("cut")]
    [InlineData("finish_reason")]
    public async Task Prefill_Fails_AnotherPrefillNodeDoesTheLeg(string how)
    {
        await using var bad = await FakeVllm.StartAsync();
        await using var router = await RouterFixture.StartAsync(options => Short(options) with { Prefill = [how == "refused" ? RouterFixture.Nowhere() : bad.Address, options.Prefill[0]] });
        Break(bad, how);
        for (var count = 0; count < 2; count++)   // whichever of the two is asked first
        {
            var (response, _) = await router.PostAsync("/v1/completions", Completion);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.StartsWith($"prefill={router.Prefill.Address.Authority} ", RouterFixture.Route(response), StringComparison.Ordinal);
            Assert.Equal("handed-over", RouterFixture.Kv(response));
        }
    }

    [Theory]
    [InlineData("5xx")]
    [InlineData("refused")]
    [InlineData("slow")]
    [InlineData("cut")]
    [InlineData("finish_reason")]
    public async Task Prefill_AllFailAndDecodeOnlyIsNotAllowed_Is503AndTheDecodeNodeIsLeftAlone(string how)
    {
        await using var router = await RouterFixture.StartAsync(options =>
        {
            options = Short(options);
            options = how == "refused" ? options with { Prefill = [RouterFixture.Nowhere()] } : options;
            return options with { Forwarding = options.Forwarding with { AllowDecodeOnly = false } };
        });
        Break(router.Prefill, how);
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("No prefill node did its leg", text, StringComparison.Ordinal);
        Assert.Empty(router.Decode.Requests);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("5xx")]
    public async Task Transfer_Required_IsA502WhenThereIsNone(string how)
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { RequireTransfer = true } });
        router.Prefill.LendsKv = how != "null";
        router.Prefill.FailsWith = how == "5xx" ? 500 : null;
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Contains("No KV was handed over", text, StringComparison.Ordinal);
        Assert.Empty(router.Decode.Requests);
    }

    [Fact]
    public async Task Params_Missing_AreCountedAndSaidInTheHeader()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Prefill.LendsKv = false;
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal((HttpStatusCode.OK, "none"), (response.StatusCode, RouterFixture.Kv(response)));
        Assert.Equal(1, await router.MetricAsync("ferry_router_transfer_missing_total"));
        Assert.Equal(0, await router.MetricAsync("ferry_router_handovers_total"));
    }

    [Theory]
    [InlineData(Completion)]
    [InlineData(Stream)]
    public async Task Decode_NeverReached_AnotherTakesTheSameParamsWithoutASecondPrefill(string body)
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Decode = [RouterFixture.Nowhere(), options.Decode[0]] });
        for (var count = 1; count <= 2; count++)
        {
            Assert.Equal(HttpStatusCode.OK, (await router.PostAsync("/v1/completions", body)).Response.StatusCode);
            Assert.Equal(count, router.Prefill.Requests.Count);
        }
    }

    [Fact]
    public async Task Decode_NeverReachedAndTheLeaseIsOver_ThePrefillIsDoneAgain()
    {
        // A lease shorter than the margin is as good as over, however fast the machine.
        var nowhere = RouterFixture.Nowhere();
        await using var router = await RouterFixture.StartAsync(options => options with { Decode = [nowhere, options.Decode[0]] });
        router.Prefill.Lease = TimeSpan.FromSeconds(1);
        await router.PostAsync("/v1/completions", Completion);
        await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(2, router.Decode.Requests.Count);
        var dead = await router.MetricAsync($"ferry_router_node_failures_total{{node=\"{nowhere.Authority}\",role=\"decode\"}}");
        Assert.InRange(dead, 1, 2);
        Assert.Equal(2 + dead, router.Prefill.Requests.Count);
    }

    [Theory]
    [InlineData("5xx", Completion)]
    [InlineData("cut", Completion)]
    [InlineData("finish_reason", Completion)]
    [InlineData("error event", Stream)]
    [InlineData("5xx", Stream)]
    [InlineData("slow", Completion)]
    public async Task Decode_FailsBeforeTheFirstByteAndMayHaveFetched_PrefillAndDecodeAreDoneAgain(string how, string body)
    {
        await using var bad = await FakeVllm.StartAsync();
        await using var router = await RouterFixture.StartAsync(options => Short(options) with { Decode = [bad.Address, options.Decode[0]] });
        Break(bad, how);
        await router.PostAsync("/v1/completions", body);
        var (response, text) = await router.PostAsync("/v1/completions", body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(" tok3", text, StringComparison.Ordinal);
        Assert.DoesNotContain("error", text, StringComparison.Ordinal);
        Assert.InRange(bad.Requests.Count, 1, 2);   // whichever of the two was asked first
        Assert.Equal(2 + bad.Requests.Count, router.Prefill.Requests.Count);
        var ids = router.Decode.Requests.Select(request => request.Body["kv_transfer_params"]!["remote_request_id"]!.GetValue<string>());
        Assert.Empty(ids.Intersect(bad.Requests.Select(request => request.Body["kv_transfer_params"]!["remote_request_id"]!.GetValue<string>())));
    }

    [Theory]
    [InlineData("5xx", 503, "as told")]
    [InlineData("cut", 502, "broke off before its answer began")]
    [InlineData("finish_reason", 200, "error")]
    [InlineData("slow", 504, "did not answer in time")]
    public async Task Decode_FailsEveryTry_TheClientGetsTheLastAnswerOrAnError(string how, int status, string says)
    {
        await using var router = await RouterFixture.StartAsync(Short);
        Break(router.Decode, how);
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Contains(says, text, StringComparison.Ordinal);
        Assert.Equal(how == "finish_reason" ? 502 : status, (int)response.StatusCode);
        Assert.Equal(3, router.Decode.Requests.Count);
    }

    [Fact]
    public async Task Decode_4xx_IsRelayedAndNotTriedAgain()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.FailsWith = 422;
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal((422, true), ((int)response.StatusCode, text.Contains("as told", StringComparison.Ordinal)));
        Assert.Single(router.Decode.Requests);
    }

    [Fact]
    public async Task Decode_ErrorInsideAStream_IsRelayedAsItIsAndCounted()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.ErrorAfterEvents = 2;
        router.Decode.StreamGate = new TaskCompletionSource();
        var (response, reader) = await router.OpenAsync("/v1/completions", Stream);
        var text = await ReadUntilAsync(reader, "tok0");   // the first byte has gone to the client: no retry from here on
        router.Decode.StreamGate.SetResult();
        text += await reader.ReadToEndAsync();
        Assert.EndsWith("data: {\"error\": {\"message\": \"Internal server error\", \"type\": \"InternalServerError\", \"param\": null, \"code\": 500}}\n\ndata: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Single(text.Split("[DONE]").SkipLast(1));
        Assert.Equal(1, await router.MetricAsync($"ferry_router_node_failures_total{{node=\"{router.Decode.Address.Authority}\",role=\"decode\"}}"));
        response.Dispose();
    }

    [Fact]
    public async Task Decode_StallsInsideAStream_EndsWithAnErrorEventAfterTheIdleTimeout()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { IdleTimeout = TimeSpan.FromMilliseconds(300) } });
        router.Decode.StreamGate = new TaskCompletionSource();
        var (_, text) = await router.PostAsync("/v1/completions", Stream);
        Assert.Contains("tok0", text, StringComparison.Ordinal);
        Assert.Contains("no byte came in time", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        await router.Decode.ClientGone.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Stream_SlowerInAllThanTheIdleTimeout_IsNotCutWhileItMakesProgress()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { IdleTimeout = TimeSpan.FromSeconds(2) } });
        (router.Decode.TokenDelay, router.Decode.Tokens) = (TimeSpan.FromMilliseconds(250), 12);
        var (_, text) = await router.PostAsync("/v1/completions", Stream.Replace("\"max_tokens\":4", "\"max_tokens\":12", StringComparison.Ordinal));
        Assert.Contains("tok11", text, StringComparison.Ordinal);
        Assert.DoesNotContain("error", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_LongerThanItsDeadline_IsCutWhateverItsProgress()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { RequestTimeout = TimeSpan.FromSeconds(1) } });
        (router.Decode.TokenDelay, router.Decode.Tokens) = (TimeSpan.FromMilliseconds(100), 1000);
        var (_, text) = await router.PostAsync("/v1/completions", Stream.Replace("\"max_tokens\":4", "\"max_tokens\":1000", StringComparison.Ordinal));
        Assert.Contains("broke off", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prefill")]
    [InlineData("decode")]
    [InlineData("stream")]
    public async Task Client_GoesAway_TheLegIsCancelledAndNothingStaysInFlight(string where)
    {
        await using var router = await RouterFixture.StartAsync();
        var pod = where == "prefill" ? router.Prefill : router.Decode;
        (pod.Gate, pod.StreamGate) = where == "stream" ? (null, new TaskCompletionSource()) : (new TaskCompletionSource(), (TaskCompletionSource?)null);
        using var cancel = new CancellationTokenSource();
        var pending = router.OpenAsync("/v1/completions", Stream, cancel.Token);
        if (where == "stream")
        {
            var (response, reader) = await pending;
            await ReadUntilAsync(reader, "tok0");
            response.Dispose();
        }
        else
        {
            await Eventually.HoldsAsync(() => pod.Requests.Count > 0);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        }
        await pod.ClientGone.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Eventually.HoldsAsync(() => pod.InFlight == 0);
        for (var count = 0; await router.MetricAsync("ferry_router_in_flight") > 0; count++)
        {
            Assert.True(count < 1000);
            await Task.Delay(10);
        }
    }

    [Fact]
    public async Task Client_DoesNotRead_IsCutAfterTheIdleTimeout()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { IdleTimeout = TimeSpan.FromMilliseconds(500) } });
        router.Decode.Tokens = 1_000_000;   // far more than all buffers on the way hold
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, router.Address.Port);
        var body = Stream.Replace("\"max_tokens\":4", "\"max_tokens\":1000000", StringComparison.Ordinal);
        await client.GetStream().WriteAsync(System.Text.Encoding.UTF8.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: r\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        await router.Decode.ClientGone.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await Eventually.HoldsAsync(() => router.Decode.InFlight == 0);
        Assert.Equal(0, await router.MetricAsync($"ferry_router_node_failures_total{{node=\"{router.Decode.Address.Authority}\",role=\"decode\"}}"));
    }

    [Fact]
    public async Task PromptList_OneDecodeBreaksOff_TheWholeRequestFails()
    {
        await using var router = await RouterFixture.StartAsync(Short);
        router.Decode.CutsAtOnce = true;
        var (response, text) = await router.PostAsync("/v1/completions", """{"prompt":["a","b"],"max_tokens":2}""");
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal(502, JsonNode.Parse(text)!["error"]!["code"]!.GetValue<int>());
    }

    private static async Task<string> ReadUntilAsync(StreamReader reader, string wanted)
    {
        var text = "";
        while (!text.Contains(wanted, StringComparison.Ordinal))
        {
            text += (await reader.ReadLineAsync() ?? throw new EndOfStreamException(text)) + "\n";
        }
        return text;
    }

    private static RouterOptions Short(RouterOptions options) => options with
    {
        Forwarding = options.Forwarding with { PrefillTimeout = TimeSpan.FromSeconds(1), AnswerTimeout = TimeSpan.FromSeconds(1), RetryPause = TimeSpan.FromMilliseconds(1) },
    };

    private static void Break(FakeVllm pod, string how)
    {
        pod.FailsWith = how == "5xx" ? 503 : null;
        pod.CutsAtOnce = how == "cut";
        pod.FinishesAsError = how == "finish_reason";
        pod.ErrorAfterEvents = how == "error event" ? 0 : null;
        pod.Gate = how == "slow" ? new TaskCompletionSource() : null;
    }
}
