using System.Text.Json.Nodes;
using Ferry.Engine;
using Ferry.Engine.Generation;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.Engine.Scheduling;
using Ferry.Kv.Layout;
using Ferry.Serving.Exchange;
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
        Node node, string requestId, SamplingParams sampling, JsonObject? parameters, int[]? prompt = null)
    {
        await using var handle = node.Engine.Submit(new GenerationRequest(requestId, prompt ?? Prompt, sampling, TransferParams: parameters));
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

    private async Task<Node> NodeAsync(
        string name, string device, int ranks, Func<KvExchangeOptions, KvExchangeOptions>? configure = null, int maxModelLen = MaxModelLen)
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
            info, runner, new SchedulerLimits(4, maxModelLen, 256, 16, 16, profile.BlockTokens, blocks), ByteTokenizer.Create(), null, exchange,
            TimeProvider.System, NullLogger.Instance, owned: runner);
        await exchange.StartAsync((kv, handler, _) => Task.FromResult<ITransferAgent>(InProcessTransferAgent.Start(
            _network, $"{name}:5600", new TransferAgentOptions { EngineId = name, Kv = kv, Handler = handler })), CancellationToken.None);
        return new Node(engine, exchange);
    }

    private sealed record Node(LlmEngine Engine, KvExchange Exchange) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Engine.DisposeAsync();
            await Exchange.DisposeAsync();
            var memory = Exchange.Cache.Memory.Snapshot();
            Assert.Equal((0, 0L), (memory.Leases, memory.UsedBytes));
        }
    }
}
