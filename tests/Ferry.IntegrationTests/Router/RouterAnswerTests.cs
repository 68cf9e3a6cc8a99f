using System.Net;
using System.Text.Json.Nodes;

namespace Ferry.IntegrationTests.Router;

/// <summary>Answers that are made of both legs, or of several pairs.</summary>
public sealed class RouterAnswerTests
{
    [Theory]
    [InlineData("/v1/completions", """{"prompt":"Hello world","max_tokens":4}""", "usage.prompt_tokens_details.cached_tokens")]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"Hi"}],"max_tokens":4}""", "usage.prompt_tokens_details.cached_tokens")]
    [InlineData("/v1/responses", """{"input":"Hi","max_output_tokens":4}""", "usage.input_tokens_details.cached_tokens")]
    public async Task Usage_AfterAHandover_HasThePrefillNodesCachedTokens(string path, string body, string at)
    {
        await using var router = await RouterFixture.StartAsync();
        (router.Prefill.CachedTokens, router.Decode.CachedTokens) = (2, 0);
        var (_, text) = await router.PostAsync(path, body);
        Assert.Equal(2, At(JsonNode.Parse(text)!, at).GetValue<int>());
    }

    [Theory]
    [InlineData("/v1/completions", """{"prompt":"Hello world","max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}""")]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"Hi"}],"max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}""")]
    public async Task Usage_InAStream_IsMendedAndEveryOtherByteIsTheNodes(string path, string body)
    {
        await using var router = await RouterFixture.StartAsync();
        (router.Prefill.CachedTokens, router.Decode.CachedTokens) = (2, 0);
        var (_, text) = await router.PostAsync(path, body);
        using var direct = new HttpClient { BaseAddress = router.Decode.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(router.Decode.Requests.Single().Body.ToJsonString()) };
        request.Headers.Add("X-Request-Id", router.Decode.Requests.Single().Headers["X-Request-Id"]);
        using var response = await direct.SendAsync(request);
        var unmended = await response.Content.ReadAsStringAsync();
        Assert.Contains("\"cached_tokens\":4", unmended, StringComparison.Ordinal);   // the node counts what it fetched
        Assert.Equal(unmended.Replace("\"cached_tokens\":4", "\"cached_tokens\":2", StringComparison.Ordinal), text);
    }

    [Fact]
    public async Task Usage_OfAResponsesStream_IsMendedInItsLastEvent()
    {
        await using var router = await RouterFixture.StartAsync();
        (router.Prefill.CachedTokens, router.Decode.CachedTokens) = (3, 0);
        var (_, text) = await router.PostAsync("/v1/responses", """{"input":"Hi","max_output_tokens":4,"stream":true}""");
        var last = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("event: response.completed\ndata: ", last, StringComparison.Ordinal);
        Assert.Equal(3, At(JsonNode.Parse(last[(last.IndexOf("data: ", StringComparison.Ordinal) + 6)..])!, "response.usage.input_tokens_details.cached_tokens").GetValue<int>());
        Assert.DoesNotContain("broke off", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_ThePrefillNodeDoesNotSay_IsUnknownRatherThanWrong()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Decode.CachedTokens = 0;
        var (_, text) = await router.PostAsync("/v1/completions", """{"prompt":"Hello world","max_tokens":4}""");
        Assert.Null(JsonNode.Parse(text)!["usage"]!["prompt_tokens_details"]);
        Assert.Equal(4, JsonNode.Parse(text)!["usage"]!["completion_tokens"]!.GetValue<int>());
    }

    [Fact]
    public async Task Usage_WithoutAHandover_IsTheDecodeNodesOwn()
    {
        await using var router = await RouterFixture.StartAsync();
        (router.Prefill.LendsKv, router.Prefill.CachedTokens, router.Decode.CachedTokens) = (false, 2, 1);
        var (_, text) = await router.PostAsync("/v1/completions", """{"prompt":"Hello world","max_tokens":4}""");
        Assert.Equal(1, At(JsonNode.Parse(text)!, "usage.prompt_tokens_details.cached_tokens").GetValue<int>());
    }

    [Theory]
    [InlineData("/v1/completions", """{"prompt":"Hello world","max_tokens":4,"prompt_logprobs":1}""", "choices.0.prompt_logprobs")]
    [InlineData("/v1/chat/completions", """{"messages":[{"role":"user","content":"Hi"}],"max_tokens":4,"prompt_logprobs":1}""", "prompt_logprobs")]
    public async Task PromptLogprobs_ComeFromPrefillAndAreMerged(string path, string body, string at)
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, text) = await router.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(-1.5, At(JsonNode.Parse(text)!, at).AsArray()[1]!["7"]!["logprob"]!.GetValue<double>());
        Assert.Equal(1, router.Prefill.Requests.Single().Body["prompt_logprobs"]!.GetValue<int>());
        Assert.False(router.Decode.Requests.Single().Body.ContainsKey("prompt_logprobs"));   // it has no hidden states of the prompt
        Assert.NotNull(router.Decode.Requests.Single().Body["kv_transfer_params"]);
    }

    [Theory]
    [InlineData("\"Hello world\"")]
    [InlineData("[7,8]")]
    public async Task Echo_WithLogprobs_IsThePrefillNodesPromptInFrontOfTheDecodeNodesText(string prompt)
    {
        await using var router = await RouterFixture.StartAsync();
        var body = $"{{\"prompt\":{prompt},\"max_tokens\":2,\"echo\":true,\"logprobs\":1}}";
        var (_, merged) = await router.PostAsync("/v1/completions", body);
        using var direct = new HttpClient { BaseAddress = router.Decode.Address };
        using var alone = await direct.PostAsync("/v1/completions", new StringContent(body));
        var expected = JsonNode.Parse(await alone.Content.ReadAsStringAsync())!["choices"]![0]!;
        var actual = JsonNode.Parse(merged)!["choices"]![0]!;
        Assert.Equal(expected["text"]!.GetValue<string>(), actual["text"]!.GetValue<string>());
        foreach (var list in (string[])["tokens", "top_logprobs", "text_offset"])
        {
            Assert.True(JsonNode.DeepEquals(expected["logprobs"]![list], actual["logprobs"]![list]), $"{list}: {actual["logprobs"]![list]!.ToJsonString()}");
        }
        Assert.Equal(4, actual["logprobs"]!["token_logprobs"]!.AsArray().Count);
        Assert.Equal((0, true), (router.Prefill.Requests.Single().Body["max_tokens"]!.GetValue<int>(), router.Prefill.Requests.Single().Body["echo"]!.GetValue<bool>()));
        Assert.False(router.Decode.Requests.Single(request => request.Headers.ContainsKey("X-Request-Id")).Body.ContainsKey("echo"));
    }

    [Fact]
    public async Task Echo_InAStream_ComesWithTheFirstEvent()
    {
        await using var router = await RouterFixture.StartAsync();
        var (_, text) = await router.PostAsync("/v1/completions", """{"prompt":"Hello","max_tokens":2,"echo":true,"stream":true}""");
        var texts = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line["data: ".Length..])!["choices"]![0]!["text"]!.GetValue<string>());
        Assert.Equal(["Hello tok0", " tok1"], texts);
    }

    [Fact]
    public async Task Choices_MoreThanOne_GetALeaseAndASeedEachAndAreNumberedAsVllmDoes()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Prefill.CachedTokens = router.Decode.CachedTokens = 1;
        var (_, text) = await router.PostAsync("/v1/completions", """{"prompt":["a","b"],"n":2,"seed":5000,"max_tokens":2}""");
        var body = JsonNode.Parse(text)!;
        var choices = body["choices"]!.AsArray();
        Assert.Equal([0, 1, 2, 3], choices.Select(choice => choice!["index"]!.GetValue<int>()));
        Assert.Equal([" tok0 tok1 seed5000", " tok0 tok1 seed5001", " tok0 tok1 seed5000", " tok0 tok1 seed5001"], choices.Select(choice => choice!["text"]!.GetValue<string>()));
        Assert.Equal((10, 8, 18, 2), (Usage("prompt_tokens"), Usage("completion_tokens"), Usage("total_tokens"), At(body, "usage.prompt_tokens_details.cached_tokens").GetValue<int>()));
        Assert.All(router.Decode.Requests, leg => Assert.Equal(1, leg.Body["n"]!.GetValue<int>()));
        Assert.Equal(4, router.Decode.Requests.Select(request => request.Body["kv_transfer_params"]!["remote_request_id"]!.GetValue<string>()).Distinct().Count());

        int Usage(string name) => body["usage"]![name]!.GetValue<int>();
    }

    [Fact]
    public async Task Choices_OfAChatStream_EachHasItsRoleItsTextAndItsEnd()
    {
        await using var router = await RouterFixture.StartAsync();
        var (_, text) = await router.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Hi"}],"n":2,"max_tokens":2,"stream":true,"stream_options":{"include_usage":true}}""");
        string[] events = [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line["data: ".Length..])];
        JsonNode[] chunks = [.. events.SkipLast(1).Select(data => JsonNode.Parse(data)!)];
        foreach (var index in (int[])[0, 1])
        {
            JsonNode[] own = [.. chunks.SkipLast(1).Select(chunk => chunk["choices"]![0]!).Where(choice => choice["index"]!.GetValue<int>() == index)];
            Assert.Equal("assistant", own[0]["delta"]!["role"]!.GetValue<string>());
            Assert.Equal(" tok0 tok1", string.Concat(own.Select(choice => choice["delta"]!["content"]!.GetValue<string>())));
            Assert.Equal("length", own[^1]["finish_reason"]!.GetValue<string>());
        }
        Assert.Equal((5, 4), (chunks[^1]["usage"]!["prompt_tokens"]!.GetValue<int>(), chunks[^1]["usage"]!["completion_tokens"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Responses_RunBothLegs()
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, text) = await router.PostAsync("/v1/responses", """{"model":"stub","input":"Hi","max_output_tokens":4,"store":true,"text":{"format":{"type":"text"}}}""");
        Assert.Equal("handed-over", RouterFixture.Kv(response));
        var prefill = router.Prefill.Requests.Single().Body;
        Assert.Equal((1, false, false, false), (prefill["max_output_tokens"]!.GetValue<int>(), prefill["stream"]!.GetValue<bool>(), prefill["store"]!.GetValue<bool>(), prefill.ContainsKey("text")));
        Assert.Equal(4, router.Decode.Requests.Single().Body["max_output_tokens"]!.GetValue<int>());
        Assert.Equal(" tok0 tok1 tok2 tok3", At(JsonNode.Parse(text)!, "output.0.content.0.text").GetValue<string>());
    }

    private static JsonNode At(JsonNode node, string path)
    {
        foreach (var name in path.Split('.'))
        {
            node = (int.TryParse(name, out var index) ? node[index] : node[name]) ?? throw new KeyNotFoundException($"{path}: no {name} in {node.ToJsonString()}");
        }
        return node;
    }
}
