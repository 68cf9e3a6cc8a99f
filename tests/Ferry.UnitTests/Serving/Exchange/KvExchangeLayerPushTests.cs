using Ferry.Serving.Options;
using Ferry.TestKit.Exchange;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

/// <summary>Layer-wise pushes, whose bytes arrive before their chunk is computed, and the choice between the modes.</summary>
public sealed class KvExchangeLayerPushTests : KvExchangePushScene
{
    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("mi300x", "gaudi3")]
    [InlineData("gaudi3", "mi300x")]
    public async Task SaveLayer_EveryDevice_BringsEveryByteRight(string source, string target)
    {
        await using var pair = await FilledPairAsync(source, target);
        var (decode, prefill) = pair;
        for (var first = 0; first < PromptTokens; first += 256)
        {
            SaveLayers(prefill, first, 0, KvTruth.Layers);
            prefill.Exchange.Save(prefill.PieceOf("p", Prompt, first, PushTo("d")));
        }
        var answer = prefill.Exchange.RequestFinished("p", completed: true)!;
        await UntilPushedAsync(decode, 3);
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Equal((PromptTokens, HandoverMode.PushLayerwise), (decode.CountRightTokens(result), decode.Report("d").Mode));
        Assert.Equal("push-layerwise", (string?)answer["transfer_mode"]);
    }

    [Fact]
    public async Task SaveLayer_FirstLayer_IsInTheDecodeNodeBeforeTheSecondIsComputed()
    {
        await using var pair = await FilledPairAsync();
        var (decode, prefill) = pair;
        SaveLayers(prefill, 0, 0, 1);
        await PumpUntilAsync(() => prefill.Totals.BytesPushedEarly > 0);

        Assert.Equal(256 * 2 * KvTruth.Heads * KvTruth.HeadDim * 2, prefill.Totals.BytesPushedEarly); // K and V of one layer, bf16.
        Assert.False(decode.Exchange.Cache.Memory.Contains(KeyOf(0)));
        prefill.Exchange.RequestFinished("p", completed: false);
    }

    [Fact]
    public async Task SaveLayer_LayersTakeLongerThanALease_TheLeaseIsKept()
    {
        await using var pair = await FilledPairAsync();
        var (decode, prefill) = pair;
        SaveLayers(prefill, 0, 0, 1);
        await PumpUntilAsync(() => prefill.Totals.BytesPushedEarly > 0);
        var begun = Time.GetTimestamp();
        await PumpUntilAsync(() => Time.GetElapsedTime(begun) > TimeSpan.FromSeconds(12)); // A push's lease has five.
        SaveLayers(prefill, 0, 1, KvTruth.Layers);
        prefill.Exchange.Save(prefill.PieceOf("p", Prompt, 0, PushTo("d")));

        await UntilPushedAsync(decode, 1);
        prefill.Exchange.RequestFinished("p", completed: true);
    }

    [Fact]
    public async Task SaveLayer_RequestIsAborted_TheRoomComesBack()
    {
        await using var pair = await FilledPairAsync();
        var (decode, prefill) = pair;
        SaveLayers(prefill, 0, 0, 1);
        await PumpUntilAsync(() => decode.Totals.PushBytesHeld > 0);
        prefill.Exchange.RequestFinished("p", completed: false);

        await PumpUntilAsync(() => decode.Totals.PushBytesHeld == 0);
        Assert.False(decode.Exchange.Cache.Memory.Contains(KeyOf(0)));
        Assert.Equal(0, prefill.Exchange.Cache.Memory.Snapshot().HeldBytes);
    }

    [Fact]
    public async Task SaveLayer_ReaderDiesBetweenPrepareAndWrite_ThePrefillGoesOnAndAnotherReaderPulls()
    {
        await using var prefill = await PushingAsync("p", mode: HandoverMode.PushLayerwise);
        prefill.Fill(Prompt);
        await using (var dying = await PushingAsync("d"))
        {
            SaveLayers(prefill, 0, 0, 1);
            await PumpUntilAsync(() => dying.Totals.PushBytesHeld > 0);
        }
        SaveLayers(prefill, 0, 1, KvTruth.Layers);
        var answer = prefill.Prefill("p", Prompt, PushTo("d"));
        await using var decode = await PushingAsync("e", device: "gaudi3");
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Equal((PromptTokens, HandoverMode.Pull), (decode.CountRightTokens(result), decode.Report("d").Mode));
    }

    [Fact]
    public async Task Save_NotAllLayersCame_TheWholeChunkIsPushed()
    {
        await using var pair = await FilledPairAsync();
        var (decode, prefill) = pair;
        SaveLayers(prefill, 0, 0, 1);
        var answer = prefill.Prefill("p", Prompt, PushTo("d"));
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Equal(PromptTokens, decode.CountRightTokens(result));
    }

    [Fact]
    public async Task Auto_ManyHandovers_TriesEveryModeMeasuresAndShowsThem()
    {
        await using var decode = await PushingAsync("d", mode: HandoverMode.Auto);
        await using var prefill = await PushingAsync("p", mode: HandoverMode.Auto);
        for (var index = 0; index < 9; index++)
        {
            int[] prompt = ExchangeNode.Prompt(PromptTokens, seed: 100 + index);
            var answer = prefill.Prefill($"p{index}", prompt, PushTo("d"));
            using var result = await PumpAsync(decode.LoadAsync($"d{index}", prompt, answer));
            Assert.Equal(PromptTokens, decode.CountRightTokens(result));
            await UntilAsync(() => prefill.Totals.Costs.Sum(cost => cost.Samples) == index + 1);
        }

        Assert.All(prefill.Totals.Costs, cost => Assert.Equal((3L, 3L, "engine-d"), (cost.Choices, cost.Samples, cost.Peer)));
        Assert.Equal(3, prefill.Totals.Costs.Count);
    }

    private static void SaveLayers(ExchangeNode node, int first, int layer, int end)
    {
        for (; layer < end; layer++)
        {
            node.Exchange.SaveLayer(node.PieceOf("p", Prompt, first, PushTo("d")), layer);
        }
    }

    /// <summary>A decode node that takes pushes, and a prefill node that pushes by layers and has the prompt's KV in its pool.</summary>
    private async Task<NodePair> FilledPairAsync(string? source = null, string? target = null)
    {
        var decode = await PushingAsync("d", device: target);
        var prefill = await PushingAsync("p", mode: HandoverMode.PushLayerwise, device: source);
        prefill.Fill(Prompt);
        return new NodePair(decode, prefill);
    }

    private sealed record NodePair(ExchangeNode Decode, ExchangeNode Prefill) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Prefill.DisposeAsync();
            await Decode.DisposeAsync();
        }
    }
}
