using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Processes;
using Ferry.Router.Choosing;
using Ferry.Router.Discovery;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Router;

/// <summary>A real node's KV events, followed by a real router.</summary>
public sealed class FerryKvEventTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 600).Select(number => 300 + (number % 200))];

    [Fact]
    public async Task Router_WhoFollowsANode_KnowsTheChunksThatItComputed()
    {
        int port, replay;
        using (var ports = new Ferry.Cli.Up.LoopbackPorts())
        {
            (port, replay) = (ports.Take(0), ports.Take(0));
        }
        await using var node = await ServeNode.StartAsync("cpu", 1, "kv_both", ["--kv-events-config", $$"""{"enable_kv_cache_events":true,"endpoint":"tcp://127.0.0.1:{{port}}","replay_endpoint":"tcp://127.0.0.1:{{replay}}"}"""]);
        await using var router = await NodesFixture.StartAsync((options, pods) => options with
        {
            Policy = "prefix-aware",
            Prefill = [pods[0].Address, new NodeSpec(node.Url) { KvEvents = $"tcp://127.0.0.1:{port}", KvReplay = $"tcp://127.0.0.1:{replay}" }],
        });
        var body = new JsonObject { ["model"] = "ferry-tiny", ["prompt"] = new JsonArray([.. Tokens.Select(token => (JsonNode)token)]), ["max_tokens"] = 1, ["temperature"] = 0 };

        var answer = await node.PostAsync("/v1/completions", body); // Past the router, which so learns of it by events alone.

        Assert.Equal(200, (int)answer.Status);
        await Eventually.TrueAsync(() =>
        {
            using var choice = router.Host.Runtime.Chooser.Choose(new ChoiceFacts { Prompt = System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', Tokens)}]"), Model = "ferry-tiny", PromptTokens = Tokens.Length });
            return choice.PrefillHitTokens == 512 && choice.Prefill!.Name == node.Url.Authority; // Two chunks of 256; the rest is no full one.
        }, "the router never heard of the chunks");
    }
}
