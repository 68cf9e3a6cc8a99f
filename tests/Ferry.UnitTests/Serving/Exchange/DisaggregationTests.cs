using System.Text.Json.Nodes;
using Ferry.Engine;
using Ferry.Engine.Connector;
using Ferry.Engine.Generation;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.Engine.Scheduling;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Serving.Exchange;
using Ferry.Serving.Options;
using Ferry.TestKit;
using Ferry.TestKit.Exchange;
using Ferry.TestKit.Models;
using Ferry.TestKit.Serving;
using Ferry.Transfer;
using Ferry.Transfer.InProcess;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

/// <summary>Two whole engines of unlike shape, joined by their exchanges, against one that does it all.</summary>
public sealed class DisaggregationTests : IDisposable
{
    private const int MaxModelLen = 512;
    private static readonly int[] Prompt = [.. ExchangeNode.Prompt(300).Select(token => token % 256)];
    private static readonly SamplingParams Sampling = new() { MaxTokens = 12, Temperature = 1, Seed = 7, IgnoreEos = true };

    private readonly TinyModelDirectory _directory = new(shape: new TinyModelShape { VocabularySize = ByteTokenizer.VocabularySize });
    private readonly InProcessNetwork _network = new(TimeProvider.System);
    private readonly LlamaModel _model;

    public DisaggregationTests() => _model = LlamaModel.Load(_directory.Path, new LoadOptions { Threads = 1 });

    public void Dispose()
    {
        _model.Dispose();
        _directory.Dispose();
    }

    public static TheoryData<string, int, string, int> Pairs()
    {
        var pairs = new TheoryData<string, int, string, int>();
        foreach (var (source, target) in DeviceProfile.All.SelectMany(_ => DeviceProfile.All, (source, target) => (source, target)))
        {
            pairs.Add(source.Name, source.TensorParallelSize, target.Name, target.TensorParallelSize);
        }
        foreach (var (sourceRanks, targetRanks) in new[] { 1, 2, 4 }.SelectMany(_ => (int[])[1, 2, 4], (source, target) => (source, target)))
        {
            pairs.Add("mi300x", sourceRanks, "gaudi3", targetRanks);
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Generate_PrefilledElsewhere_GivesTheTokensOfOneEngine(string source, int sourceRanks, string target, int targetRanks)
    {
        await using var plain = await NodeAsync("x", "cpu", 1);
        await using var prefill = await NodeAsync("p", source, sourceRanks);
        await using var decode = await NodeAsync("d", target, targetRanks);
        var (expected, _) = await GenerateAsync(plain, "x", Sampling, null);
        var (_, first) = await GenerateAsync(prefill, "p", Sampling with { MaxTokens = 1 }, ExchangeNode.AskToLend());
        var (tokens, finish) = await GenerateAsync(decode, "d", Sampling, first.TransferParams);

        Assert.Equal(expected, tokens);
        Assert.Equal(Prompt.Length - 1, finish.ExternalTokens);
        Assert.Equal("peer", decode.Exchange.Reports.TryGet("d")!.Source);
    }

    [Theory]
    [InlineData("mi300x", "gaudi3", HandoverMode.Push)]
    [InlineData("mi300x", "gaudi3", HandoverMode.PushLayerwise)]
    [InlineData("gaudi3", "cpu", HandoverMode.PushLayerwise)]
    [InlineData("cpu", "mi300x", HandoverMode.Auto)]
    public async Task Generate_Pushed_GivesTheTokensOfOneEngineInEveryMode(string source, string target, HandoverMode mode)
    {
        KvExchangeOptions Configure(KvExchangeOptions options) => options with { Handover = mode };
        await using var plain = await NodeAsync("x", "cpu", 1);
        await using var prefill = await NodeAsync("p", source, 2, Configure);
        await using var decode = await NodeAsync("d", target, 1, Configure);
        var (expected, _) = await GenerateAsync(plain, "x", Sampling, null);
        for (var round = 0; round < (mode == HandoverMode.Auto ? 4 : 1); round++)
        {
            decode.Exchange.Cache.Memory.Clear();
            var (_, first) = await GenerateAsync(prefill, $"p{round}", Sampling with { MaxTokens = 1, Seed = round }, PushTo("d"), salt: $"{round}");
            if (mode != HandoverMode.Auto)
            {
                // Once all has arrived nothing is left to pull.
                await Eventually.HoldsAsync(() => prefill.Totals.BytesPushed == prefill.Totals.BytesSaved + (KvRecord.HeaderBytes * prefill.Totals.Memory!.Records));
            }
            var (tokens, finish) = await GenerateAsync(decode, $"d{round}", Sampling, first.TransferParams, salt: $"{round}");

            Assert.Equal(expected, tokens);
            Assert.Equal(Prompt.Length - 1, finish.ExternalTokens);
            var report = decode.Exchange.Reports.TryGet($"d{round}")!;
            Assert.Equal(("peer", Ferry.Serving.KvChecksumState.Verified), (report.Source, report.Checksum));
            Assert.True(mode == HandoverMode.Auto || report.Mode == mode, $"{report.Mode}");
        }
    }

    [Fact]
    public async Task Generate_PushedByLayers_TheFirstLayersArriveWhileTheLastIsComputed()
    {
        KvExchangeOptions Configure(KvExchangeOptions options) => options with { Handover = HandoverMode.PushLayerwise };
        await using var decode = await NodeAsync("d", "cpu", 1, Configure);
        LayerGate? gate = null;
        await using var prefill = await NodeAsync("p", "cpu", 1, Configure, wrap: exchange => gate = new LayerGate(exchange));
        await GenerateAsync(prefill, "p", Sampling with { MaxTokens = 1 }, PushTo("d"));

        // The engine stood in the middle of its last layer until all layers before it were in the decode node's memory.
        Assert.Equal(1, gate!.LayersBefore);
        Assert.Equal(gate.LayerBytes * gate.LayersBefore, gate.ArrivedMeanwhile);
    }

    [Fact]
    public async Task Generate_LenderGoneBeforeTheRead_ComputesAndGivesTheSameTokens()
    {
        await using var decode = await NodeAsync("d", "gaudi3", 2);
        JsonObject? parameters;
        IReadOnlyList<int> expected;
        await using (var prefill = await NodeAsync("p", "mi300x", 4))
        {
            parameters = (await GenerateAsync(prefill, "p", Sampling with { MaxTokens = 1 }, ExchangeNode.AskToLend())).Finish.TransferParams;
            expected = (await GenerateAsync(prefill, "x", Sampling, null)).Tokens;
        }
        var (tokens, finish) = await GenerateAsync(decode, "d", Sampling, parameters);

        Assert.Equal(expected, tokens);
        Assert.Equal(0, finish.ExternalTokens);
        Assert.Equal(1, decode.Exchange.Reports.Snapshot().HandoversMissed);
    }

    [Theory]
    [InlineData(false, 0)] // The prompt alone fills no chunk.
    [InlineData(true, 512)]
    public async Task Generate_NextTurnOnAFreshEngine_FindsGeneratedTokensOnlyWithSaveDecodeCache(bool saveDecodeCache, int expectedTokens)
    {
        var directory = Directory.CreateTempSubdirectory("ferry-turns-");
        try
        {
            KvExchangeOptions Configure(KvExchangeOptions options) =>
                options with { SharedUrl = new Uri(directory.FullName).AbsoluteUri, SaveDecodeCache = saveDecodeCache };
            int[] turn = Prompt[..200];
            IReadOnlyList<int> answer;
            await using (var first = await NodeAsync("p", "mi300x", 4, Configure, maxModelLen: 1024))
            {
                answer = (await GenerateAsync(first, "p", Sampling with { MaxTokens = 330 }, null, turn)).Tokens;
                await first.Exchange.FlushAsync(CancellationToken.None);
            }
            int[] next = [.. turn, .. answer, 1, 2, 3];
            await using var second = await NodeAsync("d", "gaudi3", 2, Configure, maxModelLen: 1024);
            await using var plain = await NodeAsync("x", "cpu", 1, maxModelLen: 1024);
            var (tokens, finish) = await GenerateAsync(second, "d", Sampling, null, next);

            Assert.Equal((await GenerateAsync(plain, "x", Sampling, null, next)).Tokens, tokens);
            Assert.Equal(expectedTokens, finish.ExternalTokens);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<(IReadOnlyList<int> Tokens, FinishInfo Finish)> GenerateAsync(
        Node node, string requestId, SamplingParams sampling, JsonObject? parameters, int[]? prompt = null, string salt = "")
    {
        await using var handle = node.Engine.Submit(new GenerationRequest(requestId, prompt ?? Prompt, sampling, CacheSalt: salt, TransferParams: parameters));
        var tokens = new List<int>();
        FinishInfo? finish = null;
        await foreach (var output in handle.Outputs.ReadAllAsync())
        {
            tokens.AddRange(output.TokenIds);
            finish ??= output.Finish;
        }
        Assert.NotEqual(FinishReason.Error, finish!.Reason);
        return (tokens, finish);
    }

    private static JsonObject PushTo(string host)
    {
        var wish = ExchangeNode.AskToLend();
        wish["ferry"] = new JsonObject { ["decode"] = new JsonObject { ["engine_id"] = host, ["host"] = host, ["port"] = 5600 } };
        return wish;
    }

    private async Task<Node> NodeAsync(
        string name, string device, int ranks, Func<KvExchangeOptions, KvExchangeOptions>? configure = null, int maxModelLen = MaxModelLen,
        Func<KvExchange, IKvConnector>? wrap = null)
    {
        var profile = DeviceProfile.All.Single(profile => profile.Name == device);
        var options = new KvExchangeOptions { EngineId = name, Model = _model.Fingerprint, MemoryBytes = 8 << 20, AdvertisedHost = name };
        var exchange = new KvExchange(configure?.Invoke(options) ?? options, TimeProvider.System, NullLoggerFactory.Instance);
        var blocks = 2 * maxModelLen / profile.BlockTokens;
        var runner = new LlamaRunner(
            _model, KvPoolOptions.For(profile) with { TensorParallelSize = ranks, BlockCount = blocks }, new RunnerOptions { Threads = 1 });
        var info = new EngineInfo
        {
            ModelName = "tiny",
            VocabularySize = ByteTokenizer.VocabularySize,
            MaxModelLen = maxModelLen,
            MaxNumSeqs = 4,
            MaxNumBatchedTokens = 256,
            BlockTokens = profile.BlockTokens,
            BlockCount = blocks,
            TensorParallelSize = ranks,
            KvDType = KvDType.BFloat16,
            Device = profile,
            EosTokenIds = [],
        };
        var engine = new LlmEngine(
            info, runner, new SchedulerLimits(4, maxModelLen, 256, 16, 16, profile.BlockTokens, blocks), ByteTokenizer.Create(), null, wrap?.Invoke(exchange) ?? exchange,
            TimeProvider.System, NullLogger.Instance, owned: runner);
        await exchange.StartAsync((kv, handler, _) => Task.FromResult<ITransferAgent>(InProcessTransferAgent.Start(
            _network, $"{name}:5600", new TransferAgentOptions { EngineId = name, Kv = kv, Handler = handler })), CancellationToken.None);
        return new Node(engine, exchange);
    }

    /// <summary>Stops the engine in the first chunk's last layer until the layers before it have been written to the decode node.</summary>
    private sealed class LayerGate(KvExchange exchange) : IKvConnector
    {
        private static readonly TimeSpan HungAfter = TimeSpan.FromMinutes(1); // Only to report a hang.
        private int _layers;

        public int LayersBefore { get; private set; }

        public long LayerBytes { get; private set; }

        public long ArrivedMeanwhile { get; private set; }

        public int ChunkTokens => exchange.ChunkTokens;

        public bool SavesLayers => exchange.SavesLayers;

        public void Attach(KvPool pool)
        {
            exchange.Attach(pool);
            var layout = pool.RankLayout(0, ChunkTokens);
            (_layers, LayerBytes) = (layout.Layers, layout.PayloadBytes / layout.Layers);
        }

        public IKvLoad? TryBeginLoad(KvLoadRequest request) => exchange.TryBeginLoad(request);

        public void SaveLayer(in KvSave save, int layer)
        {
            if (save.FirstToken == 0 && layer == _layers - 1)
            {
                LayersBefore = layer;
                SpinWait.SpinUntil(() => exchange.Reports.Snapshot().BytesPushedEarly >= LayerBytes * layer, HungAfter);
                ArrivedMeanwhile = exchange.Reports.Snapshot().BytesPushedEarly;
            }
            exchange.SaveLayer(save, layer);
        }

        public void Save(in KvSave save) => exchange.Save(save);

        public JsonObject? RequestFinished(string requestId, bool completed) => exchange.RequestFinished(requestId, completed);
    }

    private sealed record Node(LlmEngine Engine, KvExchange Exchange) : IAsyncDisposable
    {
        public Ferry.Serving.KvTotals Totals => Exchange.Reports.Snapshot();

        public async ValueTask DisposeAsync()
        {
            await Engine.DisposeAsync();
            await Exchange.DisposeAsync();
            var memory = Exchange.Cache.Memory.Snapshot();
            Assert.Equal((0, 0L), (memory.Leases, memory.UsedBytes));
        }
    }
}
