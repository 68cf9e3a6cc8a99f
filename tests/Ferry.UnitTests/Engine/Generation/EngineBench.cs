using Ferry.Engine.Connector;
using Ferry.Engine.Generation;
using Ferry.Engine.Scheduling;
using Ferry.TestKit.Engines;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>An engine core over the fake model, driven step by step by the test.</summary>
internal sealed class EngineBench
{
    public const int Vocabulary = 259;

    private readonly EngineInbox _inbox = new();
    private readonly List<RequestState> _requests = [];
    private ulong _seed;

    public EngineBench(SchedulerLimits? limits = null, IKvConnector? connector = null, int tensorParallelSize = 2)
    {
        Limits = limits ?? DefaultLimits;
        Runner = new FakeModelRunner(new FakeKvPool(tensorParallelSize, Limits.BlockTokens, Limits.BlockCount), Vocabulary);
        Core = new EngineCore(Runner, Limits, TestTokenizer.Create(), connector, _inbox, Time, NullLogger.Instance);
    }

    public static SchedulerLimits DefaultLimits { get; } = new(
        MaxNumSeqs: 8, MaxModelLen: 256, MaxNumBatchedTokens: 512, MaxWaiting: 64, MaxLoads: 8, BlockTokens: 4, BlockCount: 512);

    public static SamplingParams Greedy { get; } = new() { Temperature = 0, MaxTokens = 12, IgnoreEos = true };

    public SchedulerLimits Limits { get; }

    public FakeModelRunner Runner { get; }

    public EngineCore Core { get; }

    public FakeTimeProvider Time { get; } = new();

    public static int[] Prompt(int count, int seed = 1) => [.. Enumerable.Range(0, count).Select(i => ((i * 37) + (seed * 101)) % 256)];

    public RequestState Submit(int[] prompt, SamplingParams? sampling = null, string? id = null, string salt = "", int[]? eos = null)
    {
        sampling ??= Greedy;
        var request = new RequestState(new GenerationRequest(id ?? $"r{_requests.Count}", prompt, sampling, salt), Time.GetTimestamp())
        {
            MaxTokens = Math.Min(sampling.MaxTokens ?? int.MaxValue, Limits.MaxModelLen - prompt.Length),
            EndTokens = [.. sampling.StopTokenIds, .. sampling.IgnoreEos ? [] : eos ?? []],
        };
        Core.Add(request, sampling.Seed is { } seed ? (ulong)seed : ++_seed);
        _requests.Add(request);
        return request;
    }

    /// <summary>One turn of the loop.</summary>
    public bool Step()
    {
        _inbox.Drain();
        var worked = Core.Step();
        Core.Scheduler.CheckIntegrity();
        return worked;
    }

    /// <summary>Steps until everything that was submitted has ended; loads that end elsewhere are awaited.</summary>
    public async Task RunAsync()
    {
        while (_requests.Exists(r => !r.AllFinished))
        {
            if (!Step()) { await Task.WhenAny(Core.Loads); }
        }
        Core.Scheduler.CheckIntegrity();
    }

    /// <summary>Everything that came out of a choice so far.</summary>
    public static Collected Collect(RequestState request, int choice = 0)
    {
        var outputs = new List<GenerationOutput>();
        while (request.Outputs.TryRead(out var output)) { outputs.Add(output); }
        return Collected.Of(outputs, choice);
    }
}
