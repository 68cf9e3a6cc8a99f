using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Processes;
using Ferry.Router;
using Ferry.Router.Hosting;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>Hand-overs by push between real nodes: the same tokens in every mode, over every medium, and whoever dies.</summary>
public sealed class PushTests(PlainNode plain) : IClassFixture<PlainNode>
{
    private const string Chat = "/v1/chat/completions";

    [Theory]
    [InlineData("managed", "tcp", "push")]
    [InlineData("managed", "tcp", "push-layerwise")]
    [InlineData("managed", "tcp", "auto")]
    [InlineData("managed", "tcp,sm", "push")]
    [InlineData("managed", "tcp,sm", "push-layerwise")]
    [InlineData("managed", "tcp,sm", "auto")]
    [InlineData("ucx", "tcp", "push")]
    [InlineData("ucx", "tcp", "push-layerwise")]
    public async Task HandOver_EveryModeAndMedium_GivesTheTokensOfAPlainRun(string transfer, string media, string mode)
    {
        await using var prefill = await StartAsync("mi300x", 4, "kv_producer", media, mode, transfer: transfer);
        await using var decode = await StartAsync("gaudi3", 2, "kv_consumer", media, mode, ["--no-enable-prefix-caching"], transfer);
        for (var index = 0; index < (mode == "auto" ? 4 : 1); index++)
        {
            var request = Prompts.Chat(index % 3, index / 3, seed: index);
            var leg = await prefill.PostAsync(Chat, await WishAsync(decode, request));
            if (mode != "auto")
            {
                await UntilAllIsPushedAsync(prefill, decode);
            }
            var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams!));

            Assert.Equal((await plain.Node.PostAsync(Chat, request)).Text, answer.Text);
            Assert.EndsWith("peer", answer.Source, StringComparison.Ordinal); // The first chunk of a document may be in memory from the round before.
            Assert.Equal("verified", answer.Headers["x-ferry-kv-checksum"]);
            Assert.True(mode == "auto" || answer.Headers["x-ferry-kv-mode"] == mode, answer.Headers["x-ferry-kv-mode"]);
        }
        // The writer's bytes went by the medium that was asked for.
        var medium = transfer == "ucx" ? "ucx" : media == "tcp" ? "tcp" : "shm";
        Assert.Matches($"ferry_kv_peers\\{{[^}}]*medium=\"{medium}\"\\}} 1", await prefill.Http.GetStringAsync("/metrics"));
        var metrics = await decode.Http.GetStringAsync("/metrics");
        Assert.Contains("ferry_kv_handover_bytes_total{", metrics, StringComparison.Ordinal);
        Assert.Equal(mode == "auto", (await prefill.Http.GetStringAsync("/metrics")).Contains("ferry_kv_handover_choices_total{", StringComparison.Ordinal));
    }

    [Fact]
    public async Task HandOver_PrefillNodeKilledAfterThePush_NothingIsComputedAgain()
    {
        var prefill = await StartAsync("mi300x", 4, "kv_producer", "tcp", "push");
        await using var decode = await StartAsync("gaudi3", 2, "kv_consumer", "tcp", "push", ["--no-enable-prefix-caching"]);
        var request = Prompts.Chat(0, 0);
        var leg = await prefill.PostAsync(Chat, await WishAsync(decode, request));
        await UntilAllIsPushedAsync(prefill, decode);
        await prefill.KillAsync();
        await prefill.DisposeAsync();

        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams!));

        Assert.Equal((await plain.Node.PostAsync(Chat, request)).Text, answer.Text);
        Assert.Equal("yes", answer.Headers["x-ferry-kv-handover"]);
        Assert.True(answer.MovedTokens > 256, $"{answer.MovedTokens} tokens came.");
    }

    [Fact]
    public async Task HandOver_NamedDecodeNodeIsDead_AnotherOnePulls()
    {
        await using var prefill = await StartAsync("mi300x", 4, "kv_producer", "tcp", "push");
        var dead = await StartAsync("gaudi3", 2, "kv_consumer", "tcp", "push");
        await using var decode = await StartAsync("gaudi3", 2, "kv_consumer", "tcp", "push");
        var request = Prompts.Chat(1, 0);
        var wish = await WishAsync(dead, request);
        await dead.KillAsync();
        await dead.DisposeAsync();

        var leg = await prefill.PostAsync(Chat, wish);
        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams!));

        Assert.Equal((await plain.Node.PostAsync(Chat, request)).Text, answer.Text);
        Assert.Equal("pull", answer.Headers["x-ferry-kv-mode"]);
    }

    [Fact]
    public async Task Router_BetweenNodesThatPush_TellsThePrefillNodeWhereTo()
    {
        await using var prefill = await StartAsync("mi300x", 4, "kv_producer", "tcp", "push-layerwise");
        await using var decode = await StartAsync("gaudi3", 2, "kv_consumer", "tcp", "push-layerwise");
        await using var router = await RouterHost.StartAsync(
            new RouterOptions { Prefill = [prefill.Url], Decode = [decode.Url], Host = "127.0.0.1", Port = 0 }, TimeProvider.System, _ => { }, CancellationToken.None);
        using var http = new HttpClient { BaseAddress = router.Address };
        var seed = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                var request = Prompts.Chat(2, 0, seed: seed++);
                var routed = (JsonObject)request.DeepClone();
                // A client's word about where KV goes counts for nothing.
                routed["kv_transfer_params"] = new JsonObject { ["ferry"] = new JsonObject { ["decode"] = new JsonObject { ["engine_id"] = "x", ["host"] = "192.0.2.1", ["port"] = 9 } } };
                routed["cache_salt"] = $"salt {seed}";
                using var response = await http.PostAsJsonAsync(Chat, routed);
                var answer = await NodeAnswer.ReadAsync(response, CancellationToken.None);
                Assert.Equal(HttpStatusCode.OK, answer.Status);
                Assert.Equal((await plain.Node.PostAsync(Chat, request)).Text, answer.Text);
                return (await prefill.MetricsAsync())["ferry_kv_bytes_pushed_total"] > 0;
            },
            "the router never named the decode node, or nothing was pushed to it");
    }

    [Fact]
    public async Task Node_WhoseModeIsPull_SaysThatItTakesNoPushes()
    {
        await using var decode = await ServeNode.StartAsync("gaudi3", 2, "kv_consumer");
        using var response = await decode.Http.GetAsync("/ferry/handover");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private static Task<ServeNode> StartAsync(string device, int tensorParallel, string role, string media, string mode, string[]? arguments = null, string transfer = "managed") =>
        ServeNode.StartAsync(
            device, tensorParallel, role, arguments, new Dictionary<string, string> { ["UCX_TLS"] = media, ["FERRY_TRANSFER"] = transfer },
            $$"""{"handover_mode":"{{mode}}"}""");

    /// <summary>The first leg, with the decode node named as the router names it.</summary>
    private static async Task<JsonObject> WishAsync(ServeNode decode, JsonObject request)
    {
        var leg = Prompts.PrefillLeg(request);
        leg["kv_transfer_params"]!["ferry"] = new JsonObject { ["decode"] = JsonNode.Parse(await decode.Http.GetStringAsync("/ferry/handover")) };
        return leg;
    }

    /// <summary>A record is its payload, which is counted when it is saved, and a header.</summary>
    private static Task UntilAllIsPushedAsync(ServeNode prefill, ServeNode decode) => Eventually.TrueAsync(
        async () =>
        {
            var (from, to) = (await prefill.MetricsAsync(), await decode.MetricsAsync());
            return from["ferry_kv_bytes_pushed_total"] > from["ferry_kv_bytes_saved_total"] && to["ferry_kv_push_bytes"] == from["ferry_kv_bytes_pushed_total"];
        },
        "not all of the prompt was pushed");
}
