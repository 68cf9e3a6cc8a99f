using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ferry.Serving;
using Ferry.Serving.Options;
using Ferry.TestKit.Serving;

namespace Ferry.IntegrationTests.Serving;

public sealed class OpenAiSurfaceTests
{
    [Fact]
    public async Task Completions_Whole_HasVllmsShape()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.CachedTokens = 1;
        var (response, body) = await node.PostAsync("/v1/completions", """{"model":"scripted","prompt":"Hi","max_tokens":5,"some_future_field":1}""", ("X-Request-Id", "my-id"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("my-id", response.Headers.GetValues("X-Request-Id").Single());
        Assert.Equal(("cmpl-my-id", "text_completion", "scripted"), (body["id"]!.GetValue<string>(), body["object"]!.GetValue<string>(), body["model"]!.GetValue<string>()));
        var choice = body["choices"]!.AsArray().Single()!;
        Assert.Equal(("Hello", "length", 0), (choice["text"]!.GetValue<string>(), choice["finish_reason"]!.GetValue<string>(), choice["index"]!.GetValue<int>()));
        Assert.True(choice.AsObject().ContainsKey("logprobs") && choice.AsObject().ContainsKey("stop_reason"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"prompt_tokens":2,"total_tokens":7,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":1}}"""), body["usage"]));
        Assert.Equal("none", response.Headers.GetValues("x-ferry-kv-source").Single());
    }

    [Fact]
    public async Task Completions_PromptArrayAndN_NumbersChoicesInOrder()
    {
        await using var node = await ServeFixture.StartAsync();
        var (_, body) = await node.PostAsync("/v1/completions", """{"prompt":["a","bc"],"n":2,"max_tokens":2,"echo":true}""");
        Assert.Equal([(0, "aHe"), (1, "aHe"), (2, "bcHe"), (3, "bcHe")],
            body["choices"]!.AsArray().Select(choice => (choice!["index"]!.GetValue<int>(), choice["text"]!.GetValue<string>())));
        Assert.Equal((3, 8), (body["usage"]!["prompt_tokens"]!.GetValue<int>(), body["usage"]!["completion_tokens"]!.GetValue<int>()));
        Assert.Equal(2, node.Engine.Requests.Select(request => request.RequestId).Distinct().Count());
    }

    [Fact]
    public async Task Completions_TokenIdPrompts_ReachTheEngineAsTheyAre()
    {
        await using var node = await ServeFixture.StartAsync();
        await node.PostAsync("/v1/completions", """{"prompt":[[1,2,3],[4]],"max_tokens":1,"cache_salt":"tenant"}""");
        Assert.Equal(["1 2 3", "4"], node.Engine.Requests.OrderByDescending(request => request.Prompt.Count).Select(request => string.Join(' ', request.Prompt)));
        Assert.All(node.Engine.Requests, request => Assert.Equal("tenant", request.CacheSalt));
    }

    [Fact]
    public async Task Completions_Logprobs_HaveTheParallelLists()
    {
        await using var node = await ServeFixture.StartAsync();
        var (_, body) = await node.PostAsync("/v1/completions", """{"prompt":"ab","max_tokens":1,"logprobs":2,"echo":true}""");
        var logprobs = body["choices"]![0]!["logprobs"]!;
        Assert.Equal(["a", "b", "H"], logprobs["tokens"]!.AsArray().Select(token => token!.GetValue<string>()));
        Assert.Equal([0, 1, 2], logprobs["text_offset"]!.AsArray().Select(offset => offset!.GetValue<int>()));
        Assert.Null(logprobs["token_logprobs"]![0]);
        Assert.Equal(-0.5, logprobs["token_logprobs"]![2]!.GetValue<double>());
        Assert.Equal(["H", "a", "b"], logprobs["top_logprobs"]![2]!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public async Task Chat_Logprobs_HaveTheContentShape()
    {
        await using var node = await ServeFixture.StartAsync();
        var (_, body) = await node.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"max_completion_tokens":1,"max_tokens":9,"logprobs":true,"top_logprobs":1}""");
        var choice = body["choices"]![0]!;
        Assert.Equal(("assistant", "H"), (choice["message"]!["role"]!.GetValue<string>(), choice["message"]!["content"]!.GetValue<string>()));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""[{"token":"H","logprob":-0.5,"bytes":[72],"top_logprobs":[{"token":"a","logprob":-1,"bytes":[97]}]}]"""), choice["logprobs"]!["content"]));
        Assert.Equal("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", node.Engine.Tokenizer.Decode(node.Engine.Requests.Single().Prompt, skipSpecialTokens: false));
    }

    [Fact]
    public async Task Chat_Stream_BeginsWithTheRoleAndEndsWithUsageAndDone()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.Reply = "é!";
        var (response, events) = await node.StreamAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}}""");
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("[DONE]", events[^1]);
        JsonNode[] chunks = [.. events.SkipLast(1).Select(text => JsonNode.Parse(text)!)];
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"role":"assistant","content":""}"""), chunks[0]["choices"]![0]!["delta"]));
        Assert.Equal(["", "é", "!"], chunks.SkipLast(1).Select(chunk => chunk["choices"]![0]!["delta"]!["content"]!.GetValue<string>()));
        Assert.Equal("stop", chunks[^2]["choices"]![0]!["finish_reason"]!.GetValue<string>());
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(3, chunks[^1]["usage"]!["completion_tokens"]!.GetValue<int>());
        Assert.All(chunks, chunk => Assert.NotNull(chunk["usage"]));
        Assert.Single(chunks.Select(chunk => chunk["id"]!.GetValue<string>()).Distinct());
    }

    [Fact]
    public async Task Completions_StreamWithoutUsage_HasNoneAndOneEventAToken()
    {
        await using var node = await ServeFixture.StartAsync();
        var (_, events) = await node.StreamAsync("/v1/completions", """{"prompt":"x","stream":true,"max_tokens":4}""");
        Assert.Equal(5, events.Count);
        Assert.All(events.SkipLast(1), text => Assert.False(JsonNode.Parse(text)!.AsObject().ContainsKey("usage")));
        Assert.Equal("Hell", string.Concat(events.SkipLast(1).Select(text => JsonNode.Parse(text)!["choices"]![0]!["text"]!.GetValue<string>())));
    }

    [Fact]
    public async Task Stream_EngineFailsAfterTheFirstToken_EndsWithAnErrorEventAndDone()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.FailsAfterTokens = 2;
        var (response, events) = await node.StreamAsync("/v1/completions", """{"prompt":"x","stream":true}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("[DONE]", events[^1]);
        Assert.Equal("InternalServerError", JsonNode.Parse(events[^2])!["error"]!["type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Completions_EngineFailsAtOnce_Is500(bool stream)
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.FailsAfterTokens = 0;
        var answer = await node.PostAsync("/v1/completions", $$"""{"prompt":"x","stream":{{(stream ? "true" : "false")}}}""");
        ServeFixture.AssertError(answer, HttpStatusCode.InternalServerError, "InternalServerError", "Internal server error");
    }

    [Theory]
    [InlineData("""{"model":"gpt-4","prompt":"x"}""", 404, "NotFoundError", "The model `gpt-4` does not exist.")]
    [InlineData("""{"prompt":""}""", 400, "BadRequestError", "The prompt is empty")]
    [InlineData("""{}""", 400, "BadRequestError", "Either prompt or prompt_embeds must be provided")]
    [InlineData("""{"prompt":[1,"a"]}""", 400, "BadRequestError", "prompt must be a string")]
    [InlineData("""{"prompt":[259]}""", 400, "BadRequestError", "Token id 259 is out of vocabulary: ids lie in 0..258.")]
    [InlineData("""{"prompt":"x","max_tokens":600}""", 400, "BadRequestError", "This model's maximum context length is 512 tokens and your request has 1 input tokens (600 > 512 - 1).")]
    [InlineData("""{"prompt":"x","temperature":"hot"}""", 400, "BadRequestError", "$.temperature")]
    [InlineData("""{"prompt":"x","stream_options":{"include_usage":true}}""", 400, "BadRequestError", "Stream options can only be defined when `stream=True`.")]
    [InlineData("""{"prompt":"x","response_format":{"type":"json_schema"}}""", 501, "NotImplementedError", "response_format")]
    [InlineData("""{"prompt":"x","cache_salt":""}""", 400, "BadRequestError", "cache_salt")]
    public async Task Completions_BadRequest_IsVllmsError(string body, int status, string type, string message)
    {
        await using var node = await ServeFixture.StartAsync();
        ServeFixture.AssertError(await node.PostAsync("/v1/completions", body), (HttpStatusCode)status, type, message);
    }

    [Fact]
    public async Task Completions_PromptTooLong_NamesBothNumbers()
    {
        await using var node = await ServeFixture.StartAsync();
        var answer = await node.PostAsync("/v1/completions", $$"""{"prompt":"{{new string('a', 700)}}"}""");
        ServeFixture.AssertError(answer, HttpStatusCode.BadRequest, "BadRequestError", "maximum context length is 512 tokens. However, your request has 700 input tokens");
    }

    [Fact]
    public async Task Completions_QueueFull_Is429WithRetryAfter()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.IsFull = true;
        var answer = await node.PostAsync("/v1/completions", """{"prompt":"x"}""");
        ServeFixture.AssertError(answer, HttpStatusCode.TooManyRequests, "TooManyRequestsError", "64 requests are waiting");
        Assert.Equal("1", answer.Response.Headers.RetryAfter!.ToString());
    }

    [Fact]
    public async Task ApiKey_Missing_Is401OnV1OnlyWithVllmsBody()
    {
        await using var node = await ServeFixture.StartAsync(new ApiOptions { ApiKeys = ["sk-1", "sk-2"] });
        var (response, body) = await node.PostAsync("/v1/completions", """{"prompt":"x"}""", ("Authorization", "Bearer sk-3"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("""{"error":"Unauthorized"}""", body.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await node.PostAsync("/v1/completions", """{"prompt":"x"}""", ("Authorization", "Bearer sk-2"))).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await node.Http.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await node.PostAsync("/tokenize", """{"prompt":"x"}""")).Response.StatusCode);
    }

    [Fact]
    public async Task KvTransferParams_GoInAndComeOut()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.TransferParams = new JsonObject { ["do_remote_prefill"] = true, ["remote_host"] = "10.0.0.1" };
        var (_, body) = await node.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1,"kv_transfer_params":{"do_remote_decode":true}}""");
        Assert.Equal("10.0.0.1", body["kv_transfer_params"]!["remote_host"]!.GetValue<string>());
        Assert.True(node.Engine.Requests.Single().TransferParams!["do_remote_decode"]!.GetValue<bool>());
        var (_, plain) = await node.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""");
        Assert.Null(plain["kv_transfer_params"]);
    }

    [Fact]
    public async Task Proof_KvThatMoved_StandsInHeadersOfAStreamItsLastEventAndMetrics()
    {
        var reports = new FixedReports(
            new KvRequestReport { Source = "peer", Tokens = 32, BytesMoved = 65536, BytesConverted = 65536, Checksum = KvChecksumState.Verified, Conversion = "mi300x -> gaudi3" },
            new KvTotals { BytesMovedByTier = new Dictionary<string, long> { ["peer"] = 65536 } });
        await using var node = await ServeFixture.StartAsync(reports: reports);
        node.Engine.ExternalTokens = 32;
        var (response, events) = await node.StreamAsync(
            "/v1/completions", """{"prompt":"xy","max_tokens":1,"stream":true,"stream_options":{"include_usage":true},"kv_transfer_params":{"do_remote_prefill":true}}""");
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("source", "peer"), ("tokens", "32"), ("bytes-moved", "65536"), ("bytes-converted", "65536"), ("checksum", "verified"), ("handover", "yes")])
        {
            Assert.Equal(value, response.Headers.GetValues($"x-ferry-kv-{name}").Single());
        }
        var proof = JsonNode.Parse(events[^2])!["ferry_kv"]!;
        Assert.Equal(("peer", true, "mi300x -> gaudi3"), (proof["source"]!.GetValue<string>(), proof["handover_happened"]!.GetValue<bool>(), proof["conversion"]!.GetValue<string>()));
        Assert.Equal(1, reports.Forgotten);
        var metrics = await node.Http.GetStringAsync("/metrics");
        Assert.Contains("""ferry_kv_bytes_moved_total{model_name="scripted",engine="0",tier="peer"} 65536.0""", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("ferry_kv_handover_missed_total{", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proof_HandoverThatDidNotHappen_IsCountedAndSaid()
    {
        await using var node = await ServeFixture.StartAsync(reports: new FixedReports(new KvRequestReport { Reason = "lease expired" }));
        var (response, body) = await node.PostAsync("/v1/completions", """{"prompt":"xy","max_tokens":1,"kv_transfer_params":{"do_remote_prefill":true}}""");
        Assert.Equal("no(lease expired)", response.Headers.GetValues("x-ferry-kv-handover").Single());
        Assert.False(body["ferry_kv"]!["handover_happened"]!.GetValue<bool>());
        Assert.Contains("""ferry_kv_handover_missed_total{model_name="scripted",engine="0",reason="lease expired"} 1.0""", await node.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disconnect_InsideAStream_AbortsTheEngineRequest()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.TokensBeforeGate = 2;
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent("""{"prompt":"x","stream":true}""", new MediaTypeHeaderValue("application/json")) })
        {
            using var response = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await using var stream = await response.Content.ReadAsStreamAsync();
            Assert.True(await stream.ReadAsync(new byte[16]) > 0);
        }
        await node.Engine.Aborted.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, node.Engine.Snapshot().FinishedAbort);
    }

    [Fact]
    public async Task Disconnect_BeforeTheFirstToken_AbortsEveryPrompt()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.TokensBeforeGate = 0;
        using var cancel = new CancellationTokenSource();
        var pending = node.Http.PostAsync("/v1/completions", new StringContent("""{"prompt":["x","y"]}""", new MediaTypeHeaderValue("application/json")), cancel.Token);
        while (node.Engine.InFlight < 2)
        {
            await Task.Yield();
        }
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        while (node.Engine.InFlight > 0)
        {
            await Task.Yield();
        }
        Assert.Equal(2, node.Engine.Snapshot().FinishedAbort);
    }

    [Fact]
    public async Task OtherEndpoints_AnswerAsVllm()
    {
        await using var node = await ServeFixture.StartAsync();
        var models = JsonNode.Parse(await node.Http.GetStringAsync("/v1/models"))!;
        Assert.Equal(["scripted", "alias"], models["data"]!.AsArray().Select(model => model!["id"]!.GetValue<string>()));
        Assert.Equal((512, "model_permission"), (models["data"]![0]!["max_model_len"]!.GetValue<int>(), models["data"]![0]!["permission"]![0]!["object"]!.GetValue<string>()));
        Assert.Equal("", await node.Http.GetStringAsync("/health"));
        Assert.Equal(HttpStatusCode.OK, (await node.Http.PostAsync("/ping", null)).StatusCode);
        Assert.NotNull(JsonNode.Parse(await node.Http.GetStringAsync("/version"))!["version"]);
        var (_, tokens) = await node.PostAsync("/tokenize", """{"prompt":"Hé","return_token_strs":true}""");
        Assert.Equal("""{"count":3,"max_model_len":512,"tokens":[72,195,169]""", tokens.ToJsonString()[..52]);
        var (_, chat) = await node.PostAsync("/tokenize", """{"messages":[{"role":"user","content":"x"}]}""");
        Assert.Equal(ByteTokenizer.ImStart, chat["tokens"]![0]!.GetValue<int>());
        var (_, text) = await node.PostAsync("/detokenize", """{"tokens":[72,195,169]}""");
        Assert.Equal("Hé", text["prompt"]!.GetValue<string>());
        ServeFixture.AssertError(await node.PostAsync("/v1/nothing", "{}"), HttpStatusCode.NotFound, "NotFoundError", "/v1/nothing");
        node.Engine.IsRunning = false;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await node.Http.GetAsync("/health")).StatusCode);
    }

    [Fact]
    public async Task Metrics_AfterARequest_HaveVllmsNamesAndBuckets()
    {
        await using var node = await ServeFixture.StartAsync();
        await node.PostAsync("/v1/completions", """{"prompt":"abc","max_tokens":3}""");
        var text = await node.Http.GetStringAsync("/metrics");
        foreach (var line in (string[])[
            "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc", "vllm:prefix_cache_queries_total", "vllm:external_prefix_cache_hits_total",
            "vllm:num_preemptions_total", "vllm:generation_tokens_total", "vllm:request_success_total", "vllm:cache_config_info", "vllm:prompt_tokens_by_source_total"])
        {
            Assert.Contains($"\n{line}{{model_name=\"scripted\"", text, StringComparison.Ordinal);
        }
        Assert.Contains("vllm:prompt_tokens_total{model_name=\"scripted\",engine=\"0\"} 3.0", text, StringComparison.Ordinal);
        Assert.Contains("vllm:time_to_first_token_seconds_bucket{model_name=\"scripted\",engine=\"0\",le=\"2560.0\"} 1.0", text, StringComparison.Ordinal);
        Assert.Contains("vllm:inter_token_latency_seconds_count{model_name=\"scripted\",engine=\"0\"} 2.0", text, StringComparison.Ordinal);
        Assert.Contains("vllm:request_prompt_tokens_sum{model_name=\"scripted\",engine=\"0\"} 3.0", text, StringComparison.Ordinal);
    }
}
