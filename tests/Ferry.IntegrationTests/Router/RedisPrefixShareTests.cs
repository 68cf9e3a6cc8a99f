using System.Diagnostics;
using Ferry.Router;
using Ferry.Router.Choosing;
using Ferry.Router.Hosting;
using Ferry.TestKit;
using Ferry.TestKit.Router;

namespace Ferry.IntegrationTests.Router;

/// <summary>Several routers and a real redis-server.</summary>
public sealed class RedisPrefixShareTests
{
    private const string Server = "/usr/bin/redis-server";
    private static readonly string Story = string.Concat(Enumerable.Range(0, 500).Select(word => $"word{word} "));

    [Fact]
    public async Task Routers_OnOneRedis_KnowWhatEachOtherSentWhere()
    {
        Assert.SkipUnless(File.Exists(Server), $"{Server} is not installed.");
        var port = RouterFixture.Nowhere().Port;
        using var redis = Process.Start(new ProcessStartInfo(Server, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]) { RedirectStandardOutput = true })!;
        await using var prefill = await FakeVllm.StartAsync();
        await using var second = await FakeVllm.StartAsync();
        await using var decode = await FakeVllm.StartAsync();
        try
        {
            var options = new RouterOptions
            {
                Prefill = [prefill.Address, second.Address],
                Decode = [decode.Address],
                Host = "127.0.0.1",
                Port = 0,
                Policy = "prefix-aware",
                IndexBytes = 4 << 20,
                Redis = $"127.0.0.1:{port}",
                RedisKey = $"test:{Guid.NewGuid():N}",
            };
            await using var left = await RouterHost.StartAsync(options, TimeProvider.System, _ => { }, CancellationToken.None);
            await using var right = await RouterHost.StartAsync(options, TimeProvider.System, _ => { }, CancellationToken.None);
            string sentTo;
            using (var choice = left.Runtime.Chooser.Choose(Facts()))
            {
                sentTo = choice.Prefill!.Name;
                using var leg = choice.StartLeg(NodeRole.Prefill);
                leg.Sent();
            }
            await Eventually.TrueAsync(() => Hit(right, sentTo), "the other router never heard of it");
            // One that comes later reads what was said before.
            await using var late = await RouterHost.StartAsync(options, TimeProvider.System, _ => { }, CancellationToken.None);
            await Eventually.TrueAsync(() => Hit(late, sentTo), "a router that came later never heard of it");
            // Without Redis each goes on.
            redis.Kill();
            await redis.WaitForExitAsync();
            using var http = new HttpClient { BaseAddress = left.Address };
            using var content = new StringContent("""{"model":"m","prompt":"without Redis","max_tokens":2}""", System.Text.Encoding.UTF8, "application/json");
            using var response = await http.PostAsync("/v1/completions", content);
            Assert.True(response.IsSuccessStatusCode);
            Assert.True(Hit(left, sentTo));
        }
        finally
        {
            if (!redis.HasExited) { redis.Kill(); }
        }
    }

    private static bool Hit(RouterHost router, string node)
    {
        using var choice = router.Runtime.Chooser.Choose(Facts());
        return choice.PrefillHitTokens > 500 && choice.Prefill!.Name == node;
    }

    private static ChoiceFacts Facts() => new() { Prompt = System.Text.Encoding.UTF8.GetBytes($"\"{Story}\""), Model = "m" };
}
