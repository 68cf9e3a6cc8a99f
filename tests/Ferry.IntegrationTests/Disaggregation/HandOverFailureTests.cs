using System.Net;
using Ferry.IntegrationTests.Processes;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>What goes wrong between the legs is a miss: the same tokens, later, and the response says why.</summary>
public sealed class HandOverFailureTests
{
    private const string Chat = "/v1/chat/completions";

    /// <summary>Nodes of one host would read each other's memory, past any faulty line.</summary>
    private static readonly Dictionary<string, string> OverTcp = new() { ["UCX_TLS"] = "tcp" };

    [Fact]
    public async Task HandOver_PrefillNodeKilledBetweenTheLegs_IsComputedByTheDecodeNodeWhichSaysSo()
    {
        var prefill = await ServeNode.StartAsync("mi300x", 4, "kv_producer");
        await using var decode = await ServeNode.StartAsync("gaudi3", 2, "kv_consumer");
        var request = Prompts.Chat(0, 0);
        var leg = await prefill.PostAsync(Chat, Prompts.PrefillLeg(request));
        await prefill.KillAsync();
        await prefill.DisposeAsync();

        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams!));

        await AssertRecomputedAsync(decode, request, answer);
    }

    [Fact]
    public async Task HandOver_PrefillNodeKilledMidTransfer_IsComputedByTheDecodeNodeWhichSaysSo()
    {
        var prefill = await ServeNode.StartAsync("mi300x", 4, "kv_producer", environment: OverTcp);
        await using var decode = await ServeNode.StartAsync("gaudi3", 2, "kv_consumer", environment: OverTcp);
        var request = Prompts.Chat(0, 0);
        var leg = await prefill.PostAsync(Chat, Prompts.PrefillLeg(request));
        await using var link = new FaultyLink(prefill.SideChannelPort) { CutAfter = (200_000, prefill.KillAsync) };
        leg.TransferParams!["remote_port"] = link.Port;

        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams));

        Assert.True(link.ReturnedBytes >= 200_000, $"Only {link.ReturnedBytes} bytes crossed: the node did not die in the middle.");
        await AssertRecomputedAsync(decode, request, answer);
        await prefill.DisposeAsync();
    }

    [Fact]
    public async Task HandOver_LeaseExpired_IsRefusedAndComputed()
    {
        await using var prefill = await ServeNode.StartAsync("mi300x", 4, "kv_producer", extraConfig: """{"kv_lease_duration":1}""");
        await using var decode = await ServeNode.StartAsync("gaudi3", 2, "kv_consumer");
        var request = Prompts.Chat(0, 0);
        var leg = await prefill.PostAsync(Chat, Prompts.PrefillLeg(request));
        await Task.Delay(TimeSpan.FromSeconds(2));

        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams!));

        await AssertRecomputedAsync(decode, request, answer);
        Assert.Contains("lease", answer.Headers["x-ferry-kv-handover"], StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task HandOver_ByteFlippedOnTheWire_IsDetectedCountedAndComputed()
    {
        await using var prefill = await ServeNode.StartAsync("mi300x", 4, "kv_producer", environment: OverTcp);
        await using var decode = await ServeNode.StartAsync("gaudi3", 2, "kv_consumer", environment: OverTcp);
        var request = Prompts.Chat(0, 0);
        var leg = await prefill.PostAsync(Chat, Prompts.PrefillLeg(request));
        await using var link = new FaultyLink(prefill.SideChannelPort) { FlipAt = 300_000 };
        leg.TransferParams!["remote_port"] = link.Port;

        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams));

        Assert.True(link.ReturnedBytes > 300_000, $"Only {link.ReturnedBytes} bytes crossed: nothing was flipped.");
        await AssertSameTokensAsync(decode, request, answer);
        Assert.True((await decode.MetricsAsync())["ferry_kv_checksum_failures_total"] > 0);
    }

    [Fact]
    public async Task HandOver_ToAHostThatDoesNotAnswer_IsComputed()
    {
        await using var decode = await ServeNode.StartAsync("gaudi3", 2, "kv_consumer");
        await using var prefill = await ServeNode.StartAsync("mi300x", 4, "kv_producer");
        var request = Prompts.Chat(0, 0);
        var leg = await prefill.PostAsync(Chat, Prompts.PrefillLeg(request));
        leg.TransferParams!["remote_port"] = 1;

        var answer = await decode.PostAsync(Chat, Prompts.DecodeLeg(request, leg.TransferParams));

        await AssertRecomputedAsync(decode, request, answer);
    }

    private static async Task AssertRecomputedAsync(ServeNode decode, System.Text.Json.Nodes.JsonObject request, NodeAnswer answer)
    {
        Assert.Equal(0, answer.MovedTokens);
        Assert.True((await decode.MetricsAsync())["ferry_kv_handover_missed_total"] > 0, "The missed transfer was not counted.");
        await AssertSameTokensAsync(decode, request, answer);
    }

    private static async Task AssertSameTokensAsync(ServeNode decode, System.Text.Json.Nodes.JsonObject request, NodeAnswer answer)
    {
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        await using var plain = await ServeNode.StartAsync("cpu", 1, role: null);
        Assert.Equal((await plain.PostAsync(Chat, request)).Text, answer.Text);
        Assert.False(decode.HasExited);
    }
}
