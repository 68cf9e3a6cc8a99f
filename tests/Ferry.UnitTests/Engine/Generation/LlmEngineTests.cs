using Ferry.Engine;
using Ferry.Engine.Generation;
using Ferry.Engine.Scheduling;
using Ferry.Kv.Layout;
using Ferry.TestKit.Engines;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>The engine with its own thread.</summary>
public sealed class LlmEngineTests
{
    [Fact]
    public async Task Submit_ManyAtOnce_EachGetsItsOwnTokens()
    {
        await using var engine = Create(out var runner);
        var handles = Enumerable.Range(1, 20).Select(i => engine.Submit(Request($"r{i}", EngineBench.Prompt(i * 3, i)))).ToList();
        for (var i = 0; i < handles.Count; i++)
        {
            var result = await ReadAsync(handles[i]);
            Assert.Equal(runner.ExpectedGreedy(EngineBench.Prompt((i + 1) * 3, i + 1), 12), result.Tokens);
        }
    }

    [Fact]
    public async Task DisposeAsync_RequestsInFlight_EndWithAbort()
    {
        var engine = Create(out _);
        var handle = engine.Submit(Request("a", EngineBench.Prompt(4), EngineBench.Greedy with { MaxTokens = 200 }));
        await engine.DisposeAsync();
        var result = await ReadAsync(handle);
        Assert.True(result.Finish!.Reason is FinishReason.Abort or FinishReason.Length);
        Assert.Throws<ObjectDisposedException>(() => engine.Submit(Request("b", [1])));
        handle.Abort();
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task Abort_WhileRunning_EndsTheOutputs()
    {
        await using var engine = Create(out _, EngineBench.DefaultLimits with { MaxModelLen = 100_000, BlockCount = 25_000 });
        var handle = engine.Submit(Request("a", EngineBench.Prompt(4), EngineBench.Greedy with { MaxTokens = 99_000 }));
        await handle.Outputs.ReadAsync(TestContext.Current.CancellationToken);
        handle.Abort();
        Assert.Equal(FinishReason.Abort, (await ReadAsync(handle)).Finish!.Reason);
        // The id is free again once the request has ended.
        await ReadAsync(engine.Submit(Request("a", EngineBench.Prompt(4))));
    }

    [Fact]
    public async Task Submit_BadRequest_SaysWhatIsWrong()
    {
        await using var engine = Create(out _);
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => engine.Submit(Request("a", []))).Message, StringComparison.Ordinal);
        Assert.Contains("999", Assert.Throws<ArgumentException>(() => engine.Submit(Request("a", [999]))).Message, StringComparison.Ordinal);
        var tooLong = Assert.Throws<PromptTooLongException>(() => engine.Submit(Request("a", EngineBench.Prompt(256))));
        Assert.Equal((256, 256), (tooLong.PromptTokens, tooLong.MaxModelLen));
        Assert.Throws<ArgumentException>(() => engine.Submit(Request("a", [1], new SamplingParams { TopP = 2 })));
    }

    [Fact]
    public async Task Submit_QueueFullOrIdInUse_IsRefused()
    {
        // A load that never ends keeps the first request in the queue.
        var store = new ChunkStore();
        var prefill = new EngineBench(connector: new MemoryConnector(store, 16));
        prefill.Submit(EngineBench.Prompt(20));
        await prefill.RunAsync();
        await using var engine = Create(out _, EngineBench.DefaultLimits with { MaxWaiting = 1 }, new MemoryConnector(store, 16, hold: true));
        var waiting = engine.Submit(Request("a", EngineBench.Prompt(20)));
        Assert.Throws<EngineOverloadedException>(() => engine.Submit(Request("b", EngineBench.Prompt(20))));
        waiting.Abort();
        Assert.Equal(FinishReason.Abort, (await ReadAsync(waiting)).Finish!.Reason);

        await using var roomy = Create(out _, connector: new MemoryConnector(store, 16, hold: true));
        roomy.Submit(Request("a", EngineBench.Prompt(20)));
        Assert.Contains("\"a\"", Assert.Throws<ArgumentException>(() => roomy.Submit(Request("a", EngineBench.Prompt(20)))).Message, StringComparison.Ordinal);
    }

    private static GenerationRequest Request(string id, int[] prompt, SamplingParams? sampling = null) => new(id, prompt, sampling ?? EngineBench.Greedy);

    private static async Task<Collected> ReadAsync(GenerationHandle handle)
    {
        var outputs = new List<GenerationOutput>();
        await foreach (var output in handle.Outputs.ReadAllAsync(TestContext.Current.CancellationToken)) { outputs.Add(output); }
        return Collected.Of(outputs, 0);
    }

    private static LlmEngine Create(out FakeModelRunner runner, SchedulerLimits? given = null, MemoryConnector? connector = null)
    {
        var limits = given ?? EngineBench.DefaultLimits;
        runner = new FakeModelRunner(new FakeKvPool(2, limits.BlockTokens, limits.BlockCount), EngineBench.Vocabulary);
        var info = new EngineInfo
        {
            ModelName = "fake",
            VocabularySize = EngineBench.Vocabulary,
            MaxModelLen = limits.MaxModelLen,
            MaxNumSeqs = limits.MaxNumSeqs,
            MaxNumBatchedTokens = limits.MaxNumBatchedTokens,
            BlockTokens = limits.BlockTokens,
            BlockCount = limits.BlockCount,
            TensorParallelSize = 2,
            KvDType = KvDType.Float32,
            Device = DeviceProfile.Cpu,
        };
        return new LlmEngine(info, runner, limits, TestTokenizer.Create(), null, connector, TimeProvider.System, NullLogger.Instance);
    }
}
