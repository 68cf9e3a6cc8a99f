using System.Net;
using System.Text.Json.Nodes;

namespace Ferry.IntegrationTests.Router;

public sealed class RouterTests
{
    private const string Completion = """{"model":"stub","prompt":"Hello world","max_tokens":4,"stop":["x"]}""";
    private const string ChatStream = """{"model":"stub","messages":[{"role":"user","content":"Hi"}],"max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}""";

    [Fact]
    public async Task Completions_TwoNodes_RunBothLegsUnderOneId()
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, text) = await router.PostAsync(
            "/v1/completions", Completion.Replace("}", ",\"kv_transfer_params\":{\"remote_host\":\"evil\"}}", StringComparison.Ordinal), ("X-Request-Id", "abc"), ("Authorization", "Bearer k"), ("x-prefiller-host-port", "evil:1"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var (prefill, decode) = (router.Prefill.Requests.Single(), router.Decode.Requests.Single());
        Assert.All([prefill, decode], leg => Assert.Equal("Bearer k", leg.Headers["Authorization"]));
        Assert.Equal(prefill.Headers["X-Request-Id"], decode.Headers["X-Request-Id"]);
        Assert.Matches("^abc-[0-9a-f]{8}$", prefill.Headers["X-Request-Id"]);
        Assert.All([prefill, decode], leg => Assert.False(leg.Headers.ContainsKey("x-prefiller-host-port")));
        Assert.Equal((1, false), (prefill.Body["max_tokens"]!.GetValue<int>(), prefill.Body["stream"]!.GetValue<bool>()));
        Assert.StartsWith($"cmpl-{prefill.Headers["X-Request-Id"]}-0-", decode.Body["kv_transfer_params"]!["remote_request_id"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(4, decode.Body["max_tokens"]!.GetValue<int>());
        Assert.Equal(" tok0 tok1 tok2 tok3", JsonNode.Parse(text)!["choices"]![0]!["text"]!.GetValue<string>());
        Assert.Equal($"prefill={router.Prefill.Address.Authority} decode={router.Decode.Address.Authority} handover=yes", Route(response));
        Assert.Equal("abc", response.Headers.GetValues("X-Request-Id").Single());
    }

    [Fact]
    public async Task Chat_Stream_IsRelayedByteForByte()
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, relayed) = await router.PostAsync("/v1/chat/completions", ChatStream, ("X-Request-Id", "same"));
        using var direct = new HttpClient { BaseAddress = router.Decode.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(ChatStream) };
        request.Headers.Add("X-Request-Id", router.Decode.Requests.Single().Headers["X-Request-Id"]);
        using var expected = await direct.SendAsync(request);
        Assert.Equal(await expected.Content.ReadAsStringAsync(), relayed);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith(": a comment", relayed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prefill_4xx_IsRelayedAndDecodeNotAsked()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Prefill.FailsWith = 400;
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("""{"error":{"message":"as told","type":"BadRequestError","param":null,"code":400}}""", text);
        Assert.Empty(router.Decode.Requests);
    }

    [Theory]
    [InlineData("5xx", "prefill answered 503")]
    [InlineData("null", "prefill returned no kv_transfer_params")]
    [InlineData("refused", "prefill unreachable")]
    [InlineData("slow", "prefill timed out")]
    public async Task Prefill_Fails_TheDecodeNodeDoesTheOriginalBody(string how, string reason)
    {
        await using var router = await RouterFixture.StartAsync(options => how switch
        {
            "refused" => options with { Prefill = [RouterFixture.Nowhere()] },
            "slow" => options with { Forwarding = options.Forwarding with { PrefillTimeout = TimeSpan.FromMilliseconds(200) } },
            _ => options,
        });
        router.Prefill.FailsWith = how == "5xx" ? 503 : null;
        router.Prefill.LendsKv = how != "null";
        router.Prefill.Gate = how == "slow" ? new TaskCompletionSource() : null;
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.EndsWith($"handover=no({reason})", Route(response), StringComparison.Ordinal);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Completion), router.Decode.Requests.Single().Body));
        var metrics = await router.Http.GetStringAsync("/metrics");
        Assert.Contains($"ferry_router_decode_only_total{{reason=\"{reason}\"}} 1.0", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prefill_FirstOfTwoIsDead_TheOtherDoesTheLeg()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Prefill = [RouterFixture.Nowhere(), options.Prefill[0]] });
        var (response, _) = await router.PostAsync("/v1/completions", Completion);
        Assert.EndsWith("handover=yes", Route(response), StringComparison.Ordinal);
        Assert.Single(router.Prefill.Requests);
    }

    [Fact]
    public async Task Decode_Unreachable_Is502InVllmsShape()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Decode = [RouterFixture.Nowhere()] });
        var (response, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal(502, JsonNode.Parse(text)!["error"]!["code"]!.GetValue<int>());
    }

    [Fact]
    public async Task Decode_FirstOfTwoIsUnreachable_TheOtherAnswers()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Decode = [RouterFixture.Nowhere(), options.Decode[0]] });
        Assert.Equal(HttpStatusCode.OK, (await router.PostAsync("/v1/completions", Completion)).Response.StatusCode);
    }

    [Fact]
    public async Task Decode_BreaksOffInsideAStream_EndsWithAnErrorEventAndDone()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.CutsAfterEvents = 3;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(ChatStream, System.Text.Encoding.UTF8, "application/json") };
        using var response = await router.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = "";
        while (!text.Contains("tok1", StringComparison.Ordinal))
        {
            text += await reader.ReadLineAsync() + "\n";
        }
        router.Decode.CutGate.SetResult();
        text += await reader.ReadToEndAsync();
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        Assert.Contains("The decode node broke off", events[^2], StringComparison.Ordinal);
        Assert.Equal(4, events.Count(line => line.StartsWith("data: {", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Client_GoesAway_TheLegIsCancelled(bool inPrefill)
    {
        await using var router = await RouterFixture.StartAsync();
        var pod = inPrefill ? router.Prefill : router.Decode;
        pod.Gate = new TaskCompletionSource();
        using var cancel = new CancellationTokenSource();
        var pending = router.Http.PostAsync("/v1/completions", new StringContent(Completion, System.Text.Encoding.UTF8, "application/json"), cancel.Token);
        while (pod.Requests.Count == 0)
        {
            await Task.Yield();
        }
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        await pod.ClientGone.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(inPrefill ? 0 : 1, router.Decode.Requests.Count);
    }

    [Fact]
    public async Task PromptList_Whole_GetsAPairOfLegsEachAndOneAnswer()
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, text) = await router.PostAsync("/v1/completions", """{"prompt":["a","b",  "c"],"max_tokens":2}""", ("X-Request-Id", "multi"));
        var body = JsonNode.Parse(text)!;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([0, 1, 2], body["choices"]!.AsArray().Select(choice => choice!["index"]!.GetValue<int>()));
        Assert.Equal((15, 6, 21), (body["usage"]!["prompt_tokens"]!.GetValue<int>(), body["usage"]!["completion_tokens"]!.GetValue<int>(), body["usage"]!["total_tokens"]!.GetValue<int>()));
        Assert.StartsWith("cmpl-multi-", body["id"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c"], router.Prefill.Requests.Select(request => request.Body["prompt"]!.GetValue<string>()).Order());
        // Each decode leg carries the parameters of its own prompt's prefill leg.
        Assert.Equal(3, router.Decode.Requests.Select(request => request.Body["kv_transfer_params"]!["remote_request_id"]!.GetValue<string>()).Distinct().Count());
        Assert.Equal(["0", "1", "2"], router.Decode.Requests.Select(request => request.Headers["X-Request-Id"].Split('-')[^1]).Order());
    }

    [Fact]
    public async Task PromptList_Stream_IsMergedWithOneUsageAndOneDone()
    {
        await using var router = await RouterFixture.StartAsync();
        var (_, text) = await router.PostAsync("/v1/completions", """{"prompt":[[1,2],[3]],"max_tokens":2,"stream":true,"stream_options":{"include_usage":true}}""");
        string[] events = [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line["data: ".Length..])];
        Assert.Equal("[DONE]", Assert.Single(events, data => data == "[DONE]"));
        JsonNode[] chunks = [.. events.SkipLast(1).Select(data => JsonNode.Parse(data)!)];
        Assert.Equal(4, chunks[^1]["usage"]!["completion_tokens"]!.GetValue<int>());
        foreach (var index in (int[])[0, 1])
        {
            Assert.Equal(" tok0 tok1", string.Concat(chunks.SkipLast(1).Select(chunk => chunk["choices"]![0]!).Where(choice => choice["index"]!.GetValue<int>() == index).Select(choice => choice["text"]!.GetValue<string>())));
        }
    }

    [Fact]
    public async Task PromptList_OneRefused_IsTheWholeAnswer()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Prefill.FailsWith = 404;
        var (response, text) = await router.PostAsync("/v1/completions", """{"prompt":["a","b"]}""");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("as told", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"prompt":"x","use_beam_search":true}""", "beam search")]
    [InlineData("""{"prompt":"x","stream":true,"prompt_logprobs":1}""", "streamed prompt log probabilities")]
    public async Task Request_ThatOneNodeMustDo_SkipsPrefillAndSaysWhy(string body, string reason)
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, _) = await router.PostAsync("/v1/completions", body);
        Assert.EndsWith($"handover=no({reason})", Route(response), StringComparison.Ordinal);
        Assert.Equal("not-needed", RouterFixture.Kv(response));
        Assert.Empty(router.Prefill.Requests);
    }

    [Fact]
    public async Task InFlight_OverTheLimit_Is429AndComesBackDown()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { MaxInFlight = 1 });
        router.Prefill.Gate = new TaskCompletionSource();
        var first = router.PostAsync("/v1/completions", Completion);
        while (router.Prefill.Requests.Count == 0)
        {
            await Task.Yield();
        }
        var (second, text) = await router.PostAsync("/v1/completions", Completion);
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.Equal(429, JsonNode.Parse(text)!["error"]!["code"]!.GetValue<int>());
        router.Prefill.Gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).Response.StatusCode);
    }

    [Theory]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    [InlineData("{\"prompt\":", HttpStatusCode.BadRequest)]
    [InlineData("long", HttpStatusCode.RequestEntityTooLarge)]
    public async Task Body_Hostile_IsRefusedBeforeAnyLeg(string body, HttpStatusCode status)
    {
        await using var router = await RouterFixture.StartAsync(options => options with { MaxBodyBytes = 4096 });
        var (response, _) = await router.PostAsync("/v1/completions", body == "long" ? $"{{\"prompt\":\"{new string('a', 8000)}\"}}" : body);
        Assert.Equal(status, response.StatusCode);
        Assert.Empty(router.Prefill.Requests);
    }

    [Fact]
    public async Task OtherEndpoints_PassThroughOrAnswerThemselves()
    {
        await using var router = await RouterFixture.StartAsync();
        Assert.Contains("\"stub\"", await router.Http.GetStringAsync("/v1/models"), StringComparison.Ordinal);
        Assert.Contains("0.26.0", await router.Http.GetStringAsync("/version"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await router.PostAsync("/tokenize", """{"prompt":"x"}""")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await router.Http.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await router.Http.PostAsync("/ping", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await router.PostAsync("/reset_prefix_cache", "{}")).Response.StatusCode);
        await router.Decode.DisposeAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await router.Http.GetAsync("/health")).StatusCode);
    }

    private static string Route(HttpResponseMessage response) => response.Headers.GetValues("x-ferry-route").Single();
}
