using Ferry.Engine;
using Ferry.Engine.Connector;
using Ferry.Engine.Generation;
using Ferry.Kv.Layout;
using Ferry.TestKit.Engines;
using Ferry.TestKit.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>The whole engine over a small random model: however the tokens are computed, they are the same.</summary>
public sealed class LlmEngineModelTests : IDisposable
{
    private const int ChunkTokens = 128; // a multiple of every profile's block

    private static readonly int[] Prompt = [.. Enumerable.Range(0, 300).Select(i => (i * i * 7) % 259)];
    private static readonly SamplingParams Sampling = new() { Seed = 7, MaxTokens = 24, IgnoreEos = true, Temperature = 0.8f, TopP = 0.95f };

    private readonly TinyModelDirectory _model = new(seed: 3, new TinyModelShape { VocabularySize = 270 });

    public LlmEngineModelTests() => TestTokenizer.Write(_model.Path);

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Submit_PlainChunkedBatchedAndPrefixHit_GiveTheSameTokens()
    {
        int[] expected;
        await using (var plain = Load(new EngineOptions { MaxNumBatchedTokens = 2048, EnableChunkedPrefill = false }))
        {
            expected = (await RunAsync(plain, "a")).Tokens;
            Assert.Equal(24, expected.Length);
            var hit = await RunAsync(plain, "b");
            Assert.Equal(expected, hit.Tokens);
            Assert.Equal(288, hit.Finish!.CachedTokens);
        }
        await using var chunked = Load(new EngineOptions { MaxNumBatchedTokens = 33, EnablePrefixCaching = false });
        var handles = Enumerable.Range(0, 4).Select(i => chunked.Submit(new GenerationRequest($"r{i}", Prompt[..(300 - (i * 50))], Sampling))).ToList();
        Assert.Equal(expected, (await ReadAsync(handles[0])).Tokens);
    }

    [Theory]
    [InlineData("mi300x", 4, "gaudi3", 2)]
    [InlineData("gaudi3", 2, "mi300x", 4)]
    [InlineData("mi300x", 1, "gaudi3", 4)]
    [InlineData("cpu", 1, "mi300x", 2)]
    public async Task Submit_HandOverBetweenUnlikeProfiles_GivesTheSameTokens(string prefillDevice, int prefillRanks, string decodeDevice, int decodeRanks)
    {
        await using var plain = Load(new EngineOptions());
        var expected = (await RunAsync(plain, "plain")).Tokens;

        var store = new ChunkStore();
        await using (var prefill = Load(Options(prefillDevice, prefillRanks), new MemoryConnector(store, ChunkTokens)))
        {
            await ReadAsync(prefill.Submit(new GenerationRequest("p", Prompt, Sampling with { MaxTokens = 1 })));
        }
        Assert.Equal(3, store.Count);
        await using var decode = Load(Options(decodeDevice, decodeRanks), new MemoryConnector(store, ChunkTokens));
        var result = await RunAsync(decode, "d");
        Assert.Equal(299, result.Finish!.ExternalTokens);
        Assert.Equal(expected, result.Tokens);
    }

    [Fact]
    public async Task Load_Directory_DescribesItself()
    {
        await using var engine = Load(new EngineOptions { Device = DeviceProfile.Mi300x, MaxModelLen = 512, MaxNumSeqs = 3 });
        Assert.Equal(Path.GetFileName(_model.Path), engine.Info.ModelName);
        Assert.Equal((270, 512, 16, 96, 4), (engine.Info.VocabularySize, engine.Info.MaxModelLen, engine.Info.BlockTokens, engine.Info.BlockCount, engine.Info.TensorParallelSize));
        Assert.Equal("bfloat16", engine.Info.WeightDType);
        Assert.NotNull(engine.ChatTemplate);
        Assert.NotEqual(UInt128.Zero, engine.Info.ModelFingerprint);
    }

    [Fact]
    public void Load_OptionsOutOfRange_AreToldAllAtOnce()
    {
        var error = Assert.Throws<EngineOptionsException>(() => Load(new EngineOptions { MaxNumSeqs = 0, Threads = -1, KvDType = KvDType.Float8E4M3Fn }));
        Assert.Equal(3, error.Errors.Count);
        error = Assert.Throws<EngineOptionsException>(() => Load(new EngineOptions { TensorParallelSize = 3, MaxModelLen = 1_000_000 }));
        Assert.Equal(2, error.Errors.Count);
        error = Assert.Throws<EngineOptionsException>(() => Load(new EngineOptions { KvMemoryBytes = 1000 }));
        Assert.Contains("KV pool", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    private static EngineOptions Options(string device, int ranks) => new()
    {
        Device = DeviceProfile.All.Single(profile => profile.Name == device),
        TensorParallelSize = ranks,
        MaxModelLen = 512,
        MaxNumSeqs = 4,
    };

    private LlmEngine Load(EngineOptions options, IKvConnector? connector = null) =>
        LlmEngine.Load(_model.Path, options with { Threads = options.Threads == 0 ? 2 : options.Threads }, connector, TimeProvider.System, NullLoggerFactory.Instance);

    private static Task<Collected> RunAsync(LlmEngine engine, string id) => ReadAsync(engine.Submit(new GenerationRequest(id, Prompt, Sampling)));

    private static async Task<Collected> ReadAsync(GenerationHandle handle)
    {
        var outputs = new List<GenerationOutput>();
        await foreach (var output in handle.Outputs.ReadAllAsync(TestContext.Current.CancellationToken)) { outputs.Add(output); }
        return Collected.Of(outputs, 0);
    }
}
