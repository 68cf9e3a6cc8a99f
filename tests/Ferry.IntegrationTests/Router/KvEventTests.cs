using Ferry.TestKit;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>KV events over real ZMQ sockets, from a publisher that speaks as vLLM's does.</summary>
public sealed class KvEventTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(500, 64)];
    private static readonly string Prompt = $"[{string.Join(',', Tokens)}]";

    [Fact]
    public async Task Prompt_WhoseBlocksANodePublished_GoesThere()
    {
        using var publisher = new FakeKvPublisher();
        await using var router = await StartAsync(publisher);
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Stored([1, 2, 3, 4], null, Tokens, 16)));
        await UntilFollowingAsync(router);
        for (var round = 0; round < 4; round++) { Assert.Contains($"prefill={router.Prefill[1].Address.Authority} ", (await router.CompleteAsync(Prompt)).Route, StringComparison.Ordinal); }
        Assert.Equal(16, (int)(await router.NodeAsync(router.Prefill[1]))["block_tokens"]!);
    }

    [Fact]
    public async Task Events_BeforeTheRouterCame_AreReplayed()
    {
        using var publisher = new FakeKvPublisher();
        await publisher.PublishAsync(KvEventBytes.Batch(true, KvEventBytes.Stored([1, 2], null, Tokens[..32], 16, isMap: true)));
        await publisher.PublishAsync(KvEventBytes.Batch(true, KvEventBytes.Stored([3, 4], 2, Tokens[32..], 16, isMap: true)));
        await using var router = await StartAsync(publisher);
        await UntilFollowingAsync(router);
        using var choice = router.Host.Runtime.Chooser.Choose(Facts());
        Assert.Equal((router.Prefill[1].Address.Authority, 64), (choice.Prefill!.Name, choice.PrefillHitTokens));
    }

    [Fact]
    public async Task Events_OneLostOnTheWay_IsAskedForAgain()
    {
        using var publisher = new FakeKvPublisher();
        await using var router = await StartAsync(publisher);
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Stored([1, 2], null, Tokens[..32], 16)));
        await UntilFollowingAsync(router);
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Stored([3], 2, Tokens[32..48], 16)), isLost: true);
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Stored([4], 3, Tokens[48..], 16)));
        await Eventually.TrueAsync(() =>
        {
            using var choice = router.Host.Runtime.Chooser.Choose(Facts());
            return choice.PrefillHitTokens == 64;
        }, "the lost batch was never applied");
        Assert.True(publisher.Replays >= 1);
    }

    [Fact]
    public async Task Events_LostAndNotReplayed_ForgetWhatWasKnown()
    {
        using var publisher = new FakeKvPublisher(bufferSteps: 1);
        await using var router = await StartAsync(publisher);
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Stored([1, 2, 3, 4], null, Tokens, 16)));
        await UntilFollowingAsync(router);
        // The lost batch says that the blocks were removed: whoever still believed in them would be wrong.
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Removed([1, 2, 3, 4], "GPU")), isLost: true);
        await publisher.PublishAsync(KvEventBytes.Batch(false));
        await Eventually.TrueAsync(() =>
        {
            using var choice = router.Host.Runtime.Chooser.Choose(Facts());
            return choice.PrefillHitTokens == 0;
        }, "blocks are believed in after a gap");
    }

    [Fact]
    public async Task Node_GoesDown_IsNotBelievedToHaveAnything()
    {
        using var publisher = new FakeKvPublisher(bufferSteps: 1);
        await using var router = await StartAsync(publisher);
        await publisher.PublishAsync(KvEventBytes.Batch(false, KvEventBytes.Stored([1, 2, 3, 4], null, Tokens, 16)));
        await UntilFollowingAsync(router);
        await publisher.PublishAsync(KvEventBytes.Batch(false));   // the buffer holds only this
        var port = router.Prefill[1].Address.Port;
        await router.Prefill[1].DisposeAsync();
        await Eventually.TrueAsync(async () => (string?)(await router.NodeAsync(router.Prefill[1]))["state"] == "down", "the node never went down");
        await using var again = await FakeVllm.StartAsync(port: port);
        await Eventually.TrueAsync(async () => (string?)(await router.NodeAsync(router.Prefill[1]))["state"] == "up", "the node never came back");
        using var choice = router.Host.Runtime.Chooser.Choose(Facts());
        Assert.Equal(0, choice.PrefillHitTokens);
    }

    private static async Task<NodesFixture> StartAsync(FakeKvPublisher publisher)
    {
        var router = await NodesFixture.StartAsync((options, pods) => options with
        {
            Policy = "prefix-aware",
            Prefill = [pods[0].Address, new Ferry.Router.Discovery.NodeSpec(pods[1].Address) { KvEvents = publisher.Endpoint, KvReplay = publisher.ReplayEndpoint }],
        });
        await publisher.SubscribedAsync();
        return router;
    }

    private static Task UntilFollowingAsync(NodesFixture router) =>
        Eventually.TrueAsync(async () => (bool)(await router.NodeAsync(router.Prefill[1]))["kv_events"]!, "the events were never followed");

    private static Ferry.Router.Choosing.ChoiceFacts Facts() => new() { Prompt = System.Text.Encoding.UTF8.GetBytes(Prompt), Model = "m", PromptTokens = 64 };
}
