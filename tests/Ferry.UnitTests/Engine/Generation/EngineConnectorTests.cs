using System.Text.Json.Nodes;
using Ferry.Engine.Connector;
using Ferry.TestKit.Engines;
using Xunit;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>KV from and to a connector, over a model whose output betrays wrong KV.</summary>
public sealed class EngineConnectorTests
{
    private const int ChunkTokens = 16;

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(50)]
    [InlineData(64)]
    public async Task HandOver_AnyPromptLength_DecodesWithoutComputingThePrompt(int promptTokens)
    {
        var store = new ChunkStore();
        var prompt = EngineBench.Prompt(promptTokens);
        var prefill = new EngineBench(connector: new MemoryConnector(store, ChunkTokens));
        prefill.Submit(prompt, EngineBench.Greedy with { MaxTokens = 1 });
        await prefill.RunAsync();

        var connector = new MemoryConnector(store, ChunkTokens);
        var decode = new EngineBench(EngineBench.DefaultLimits with { BlockTokens = 8, BlockCount = 128 }, connector);
        var request = decode.Submit(prompt);
        await decode.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.Equal(decode.Runner.ExpectedGreedy(prompt, 12), result.Tokens);
        Assert.Equal((promptTokens - 1, promptTokens - 1), (result.Finish!.CachedTokens, result.Finish.ExternalTokens));
        Assert.Equal(12, decode.Runner.ComputedTokens); // the last prompt token and eleven more
        Assert.Equal(1, connector.Released);
        Assert.Equal(promptTokens - 1, decode.Core.Snapshot().ExternalPrefixCacheHits);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(512)]
    public async Task Save_EveryChunkOfAPrompt_ComesOnceInOrderAndTheLastIsMarked(int batchedTokens)
    {
        var connector = new MemoryConnector(new ChunkStore(), ChunkTokens);
        var bench = new EngineBench(EngineBench.DefaultLimits with { MaxNumBatchedTokens = batchedTokens }, connector);
        bench.Submit(EngineBench.Prompt(40), id: "a");
        await bench.RunAsync();
        Assert.Equal([("a", 0, 16, false), ("a", 16, 16, false), ("a", 32, 8, true)], connector.Saves);
        connector.Saves.Clear();
        bench.Submit(EngineBench.Prompt(32), id: "b"); // found, not computed
        await bench.RunAsync();
        Assert.Equal([("b", 0, 16, false), ("b", 16, 16, true)], connector.Saves);
        Assert.Equal([("a", true), ("b", true)], connector.Finished);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Save_FullChunksOfGeneratedTokens_ComeOnlyIfTheConnectorWantsThem(bool savesGenerated)
    {
        var connector = new MemoryConnector(new ChunkStore(), ChunkTokens) { SavesGenerated = savesGenerated };
        var bench = new EngineBench(connector: connector);
        bench.Submit(EngineBench.Prompt(24), EngineBench.Greedy with { MaxTokens = 42 }, id: "a"); // KV of 65 tokens: the last is sampled, not computed.
        await bench.RunAsync();

        (string, int, int, bool)[] ofThePrompt = [("a", 0, 16, false), ("a", 16, 8, true)];
        (string, int, int, bool)[] generated = [("a", 16, 16, false), ("a", 32, 16, false), ("a", 48, 16, false)];
        Assert.Equal(savesGenerated ? [.. ofThePrompt, .. generated] : ofThePrompt, connector.Saves);
    }

    [Fact]
    public async Task Load_NextTurnOfAConversation_FindsWhatWasGenerated()
    {
        var store = new ChunkStore();
        var first = new EngineBench(connector: new MemoryConnector(store, ChunkTokens) { SavesGenerated = true });
        var prompt = EngineBench.Prompt(24);
        var request = first.Submit(prompt, EngineBench.Greedy with { MaxTokens = 42 });
        await first.RunAsync();
        var answer = EngineBench.Collect(request).Tokens;
        int[] next = [.. prompt, .. answer, .. EngineBench.Prompt(10, seed: 3)];

        var second = new EngineBench(connector: new MemoryConnector(store, ChunkTokens));
        var turn = second.Submit(next);
        await second.RunAsync();
        var result = EngineBench.Collect(turn);
        Assert.Equal(64, result.Finish!.ExternalTokens);
        Assert.Equal(second.Runner.ExpectedGreedy(next, 12), result.Tokens);
    }

    [Fact]
    public async Task Load_LocalPrefix_IsLeftAloneAndTheRestCopied()
    {
        var store = new ChunkStore();
        var prefill = new EngineBench(connector: new MemoryConnector(store, ChunkTokens));
        prefill.Submit(EngineBench.Prompt(60), EngineBench.Greedy with { MaxTokens = 1 });
        await prefill.RunAsync();
        var connector = new MemoryConnector(store, ChunkTokens);
        var bench = new EngineBench(connector: connector);
        bench.Submit(EngineBench.Prompt(60)[..21]);
        await bench.RunAsync();
        var request = bench.Submit(EngineBench.Prompt(60));
        await bench.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.Equal(20, connector.LoadRequests[^1].LocalTokens);
        Assert.Equal((59, 39), (result.Finish!.CachedTokens, result.Finish.ExternalTokens));
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(60), 12), result.Tokens);
    }

    [Fact]
    public async Task Load_UnderWay_BlocksNobodyElse()
    {
        var store = new ChunkStore();
        var prefill = new EngineBench(connector: new MemoryConnector(store, ChunkTokens));
        prefill.Submit(EngineBench.Prompt(40), EngineBench.Greedy with { MaxTokens = 1 });
        await prefill.RunAsync();
        var connector = new MemoryConnector(store, ChunkTokens, hold: true);
        var bench = new EngineBench(connector: connector);
        var loading = bench.Submit(EngineBench.Prompt(40));
        var other = bench.Submit(EngineBench.Prompt(8, 9));
        while (!other.AllFinished) { Assert.True(bench.Step()); }
        Assert.Equal(1, bench.Core.Snapshot().WaitingForRemoteKv);
        Assert.False(bench.Step());
        bench.Time.Advance(TimeSpan.FromSeconds(3));
        connector.ReleaseLoads();
        await bench.RunAsync();
        var result = EngineBench.Collect(loading);
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(40), 12), result.Tokens);
        Assert.Equal(TimeSpan.FromSeconds(3), result.Finish!.Timings.Load);
    }

    [Fact]
    public async Task Load_EmptyResult_ComputesThePrompt()
    {
        var connector = new MemoryConnector(new ChunkStore(), ChunkTokens) { Tamper = _ => [] };
        var bench = new EngineBench(connector: connector);
        var request = bench.Submit(EngineBench.Prompt(40));
        await bench.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(40), 12), result.Tokens);
        Assert.Equal(0, result.Finish!.ExternalTokens);
        Assert.Equal(1, connector.Released);
        Assert.Equal(0, bench.Core.Snapshot().RefusedLoads);
    }

    [Theory]
    [InlineData("short payload")]
    [InlineData("missing rank")]
    [InlineData("gap")]
    [InlineData("overlap")]
    [InlineData("not at a chunk")]
    [InlineData("begins too late")]
    [InlineData("beyond the prompt")]
    [InlineData("unfull in the middle")]
    [InlineData("negative")]
    public async Task Load_ChunksOfWrongShape_AreRefusedAndThePromptComputed(string fault)
    {
        var store = new ChunkStore();
        var prefill = new EngineBench(connector: new MemoryConnector(store, ChunkTokens));
        prefill.Submit(EngineBench.Prompt(60), EngineBench.Greedy with { MaxTokens = 1 });
        await prefill.RunAsync();
        var connector = new MemoryConnector(store, ChunkTokens) { Tamper = chunks => Damage(chunks, fault) };
        var bench = new EngineBench(connector: connector);
        var request = bench.Submit(EngineBench.Prompt(60));
        await bench.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.Equal(1, bench.Core.Snapshot().RefusedLoads);
        Assert.Equal(0, result.Finish!.ExternalTokens);
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(60), 12), result.Tokens);
        Assert.Equal(1, connector.Released);
    }

    [Fact]
    public async Task Abort_WhileLoading_CancelsAndGivesTheResultBack()
    {
        var store = new ChunkStore();
        var prefill = new EngineBench(connector: new MemoryConnector(store, ChunkTokens));
        prefill.Submit(EngineBench.Prompt(40), EngineBench.Greedy with { MaxTokens = 1 });
        await prefill.RunAsync();
        var connector = new MemoryConnector(store, ChunkTokens, hold: true);
        var bench = new EngineBench(connector: connector);
        var request = bench.Submit(EngineBench.Prompt(40), id: "x");
        bench.Step();
        bench.Core.Abort(request);
        Assert.Equal(1, connector.Cancelled);
        Assert.Equal([("x", false)], connector.Finished);
        await Task.WhenAll(bench.Core.Loads);
        Assert.False(bench.Step());
    }

    [Fact]
    public async Task Connector_ThrowsOnEveryCall_CostsTheKvAndNotTheRequest()
    {
        var bench = new EngineBench(connector: new ThrowingConnector());
        var request = bench.Submit(EngineBench.Prompt(40));
        await bench.RunAsync();
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(40), 12), EngineBench.Collect(request).Tokens);
    }

    [Fact]
    public async Task Load_Faults_ComputesThePrompt()
    {
        var bench = new EngineBench(connector: new ThrowingConnector { Load = true });
        var request = bench.Submit(EngineBench.Prompt(40));
        await bench.RunAsync();
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(40), 12), EngineBench.Collect(request).Tokens);
    }

    [Fact]
    public async Task RequestFinished_TransferParams_AreInTheLastIncrement()
    {
        var connector = new MemoryConnector(new ChunkStore(), ChunkTokens) { TransferParams = () => new JsonObject { ["do_remote_prefill"] = true } };
        var bench = new EngineBench(connector: connector);
        var request = bench.Submit(EngineBench.Prompt(20), EngineBench.Greedy with { MaxTokens = 1 });
        await bench.RunAsync();
        Assert.True(EngineBench.Collect(request).Finish!.TransferParams!["do_remote_prefill"]!.GetValue<bool>());
    }

    [Fact]
    public void EngineCore_ChunkThatIsNoMultipleOfTheBlock_IsRefused() =>
        Assert.Contains("multiple", Assert.Throws<ArgumentException>(() => new EngineBench(connector: new MemoryConnector(new ChunkStore(), 6))).Message, StringComparison.Ordinal);

    private static IReadOnlyList<KvLoadedChunk> Damage(IReadOnlyList<KvLoadedChunk> chunks, string fault) => fault switch
    {
        "short payload" => [chunks[0] with { RankPayloads = [chunks[0].RankPayloads[0], chunks[0].RankPayloads[1][..^1]] }],
        "missing rank" => [chunks[0] with { RankPayloads = [chunks[0].RankPayloads[0]] }],
        "gap" => [chunks[0], chunks[2]],
        "overlap" => [chunks[0], chunks[0]],
        "not at a chunk" => [chunks[0] with { FirstToken = 4 }],
        "begins too late" => [chunks[1]],
        "beyond the prompt" => [.. chunks.Take(3), chunks[3] with { TokenCount = 16 }],
        "unfull in the middle" => [chunks[3] with { FirstToken = 0 }],
        _ => [chunks[0] with { FirstToken = -16 }],
    };
}
