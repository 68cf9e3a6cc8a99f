using System.Net;
using System.Text.Json.Nodes;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Router;

/// <summary>What needs one node only, and answers that are too long to be held.</summary>
public sealed class RouterPassThroughTests
{
    private const string Long = """{"model":"stub","prompt":"Hello world","max_tokens":400}""";

    [Fact]
    public async Task Upload_Multipart_GoesOnAsItComesIn()
    {
        await using var router = await RouterFixture.StartAsync();
        using var form = new MultipartFormDataContent { { new ByteArrayContent(new byte[3_000_000]), "file", "a.wav" } };
        using var response = await router.Http.PostAsync("/v1/audio/transcriptions", form);
        var seen = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("multipart/form-data", seen["type"]!.GetValue<string>());
        Assert.InRange(seen["bytes"]!.GetValue<int>(), 3_000_000, 3_001_000);
    }

    [Theory]
    [InlineData("/tokenize", "text/plain")]
    [InlineData("/v1/completions", "text/plain")]
    [InlineData("/v1/completions", "multipart/form-data")]
    public async Task ContentType_OfNoUse_IsABadRequest(string path, string type)
    {
        await using var router = await RouterFixture.StartAsync();
        using var response = await router.Http.PostAsync(path, new StringContent("{}", System.Text.Encoding.UTF8, type));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(router.Decode.Requests);
    }

    [Theory]
    [InlineData("/tokenize")]
    [InlineData("/v1/embeddings")]
    public async Task Post_FirstNodeIsUnreachable_AnotherAnswers(string path)
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Decode = [RouterFixture.Nowhere(), options.Decode[0]] });
        for (var count = 0; count < 2; count++)
        {
            var (response, _) = await router.PostAsync(path, """{"input":"x","prompt":"x"}""");
            Assert.Equal((HttpStatusCode.OK, "not-needed"), (response.StatusCode, RouterFixture.Kv(response)));
        }
        Assert.Empty(router.Prefill.Requests);
    }

    [Theory]
    [InlineData("""{"input":"Hi","previous_response_id":"resp_1"}""", "previous_response_id")]
    [InlineData("""{"input":"Hi","background":true}""", "background")]
    public async Task Responses_ThatOneNodeMustDo_SkipPrefill(string body, string reason)
    {
        await using var router = await RouterFixture.StartAsync();
        var (response, _) = await router.PostAsync("/v1/responses", body);
        Assert.EndsWith($"handover=no({reason})", RouterFixture.Route(response), StringComparison.Ordinal);
        Assert.Empty(router.Prefill.Requests);
    }

    [Fact]
    public async Task RequestId_SentTwice_IsAnotherOneAtTheNodes()
    {
        await using var router = await RouterFixture.StartAsync();
        for (var count = 0; count < 2; count++)
        {
            var (response, _) = await router.PostAsync("/v1/completions", """{"prompt":"x","max_tokens":1}""", ("X-Request-Id", "same"));
            Assert.Equal("same", response.Headers.GetValues("X-Request-Id").Single());
        }
        Assert.Equal(2, router.Decode.Requests.Select(leg => leg.Headers["X-Request-Id"]).Distinct().Count());
    }

    [Fact]
    public async Task Paths_HoweverSpelt_AreTheRoutersOwnInMetrics()
    {
        await using var router = await RouterFixture.StartAsync();
        foreach (var path in (string[])["/V1/Completions", "/v1/completions/", "/v1/completions"])
        {
            Assert.Equal(HttpStatusCode.OK, (await router.PostAsync(path, """{"prompt":"x","max_tokens":1}""")).Response.StatusCode);
        }
        foreach (var path in (string[])["/v1/completions", "/made/up", "/v1/completions/x"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await router.Http.GetAsync(path)).StatusCode);
        }
        (await router.Http.GetAsync("/v1/models")).EnsureSuccessStatusCode();
        // A request is counted when it is over, which its client may know first.
        await Eventually.TrueAsync(
            async () => await router.MetricAsync("""ferry_router_requests_total{path="/v1/models",status="200"}""") == 1
                && await router.MetricAsync("""ferry_router_requests_total{path="/v1/completions",status="200"}""") == 3
                && await router.MetricAsync("""ferry_router_requests_total{path="other",status="404"}""") == 3,
            "the requests were not counted by these paths");
    }

    [Fact]
    public async Task Answer_TooLongToBeHeld_PassesWhole()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { MaxInspectedAnswerBytes = 1024 } });
        router.Decode.Tokens = 400;
        var (response, text) = await router.PostAsync("/v1/completions", Long);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.EndsWith(" tok399", JsonNode.Parse(text)!["choices"]![0]!["text"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_TooLongToBeHeldBreaksOff_TheConnectionIsCut()
    {
        await using var router = await RouterFixture.StartAsync(options => options with { Forwarding = options.Forwarding with { MaxInspectedAnswerBytes = 1024 } });
        (router.Decode.Tokens, router.Decode.CutsInHalf) = (400, true);
        var (response, reader) = await router.OpenAsync("/v1/completions", Long);
        router.Decode.CutGate.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(reader.ReadToEndAsync);   // no reader takes half an answer for a whole one
        response.Dispose();
    }
}
