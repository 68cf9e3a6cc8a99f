using Ferry.Cache;
using Ferry.Cache.Chains;
using Ferry.Cache.Tiers;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Chains;

public sealed class LoadAdvisorTests : IAsyncDisposable
{
    private const int Tokens = 256;
    private readonly FakeTimeProvider _time = new();
    private readonly GuardedTier _tier;
    private readonly LoadAdvisor _advisor;

    public LoadAdvisorTests()
    {
        _tier = new GuardedTier(new FaultyTier(), new TierGuardOptions(), _time, NullLogger<GuardedTier>.Instance);
        _advisor = new LoadAdvisor(new RecordCacheOptions { ReadsPerChain = 1, ProbeAfter = TimeSpan.FromSeconds(30) }, _time);
    }

    public ValueTask DisposeAsync() => _tier.DisposeAsync();

    private static ChainLink[] Links(int inMemory, int inTier, GuardedTier tier, int bytes = 1_000_000) =>
    [
        .. Enumerable.Range(0, inMemory).Select(_ => new ChainLink(true, null, [], Tokens)),
        .. Enumerable.Range(0, inTier).Select(number => new ChainLink(false, tier, [[new TierRecord(TestRecords.Key(number), 1, 0, 1, 1, bytes, "")]], Tokens)),
    ];

    /// <summary>A latency of 10 ms, then 100 MB/s: a chunk of a million bytes takes 10 ms.</summary>
    private void Measure()
    {
        _tier.Meter.Found(TimeSpan.FromMilliseconds(10));
        _tier.Meter.Read(1_000_000, TimeSpan.FromMilliseconds(20), _time.GetTimestamp());
    }

    [Fact]
    public void Decide_NothingSaidOrMeasured_LoadsAllAndSaysWhy()
    {
        Assert.Equal(new LoadDecision(3, LoadReason.NothingToLoad, null, null), _advisor.Decide(Links(3, 0, _tier)));
        Assert.Equal(new LoadDecision(3, LoadReason.NoEngineRate, null, null), _advisor.Decide(Links(1, 2, _tier)));
        _advisor.TokensPerSecond = 1e9;
        Assert.Equal(new LoadDecision(3, LoadReason.NoTierRate, null, null), _advisor.Decide(Links(1, 2, _tier)));
        Assert.Equal(1, _advisor.CountOf(LoadReason.NoTierRate));
    }

    [Fact]
    public void Decide_SwitchedOff_LoadsWhateverItTakes()
    {
        Measure();
        var advisor = new LoadAdvisor(new RecordCacheOptions { LoadOnlyIfCheaper = false }, _time) { TokensPerSecond = 1e9 };
        Assert.Equal(new LoadDecision(2, LoadReason.SwitchedOff, null, null), advisor.Decide(Links(0, 2, _tier)));
    }

    [Theory]
    [InlineData(10_000, 4, LoadReason.LoadingIsFaster)] // A chunk is computed in 25.6 ms and loaded in 10.
    [InlineData(100_000, 0, LoadReason.ComputingIsFaster)] // Computed in 2.6 ms.
    public void Decide_Measured_TakesTheFasterWay(double tokensPerSecond, int chunks, LoadReason reason)
    {
        Measure();
        _advisor.TokensPerSecond = tokensPerSecond;
        var decision = _advisor.Decide(Links(0, 4, _tier));

        Assert.Equal((chunks, reason), (decision.Chunks, decision.Reason));
        Assert.Equal(50, decision.LoadTime!.Value.TotalMilliseconds, 1.0);
        Assert.Equal(4 * Tokens / tokensPerSecond, decision.ComputeTime!.Value.TotalSeconds, 0.001);
    }

    [Fact]
    public void Decide_SmallChunksBeforeLargeOnes_LoadsTheSmallOnes()
    {
        Measure();
        _advisor.TokensPerSecond = 20_000; // 12.8 ms a chunk.
        ChainLink[] links = [.. Links(0, 30, _tier, bytes: 10_000), .. Links(0, 4, _tier, bytes: 10_000_000)];
        var decision = _advisor.Decide(links);

        Assert.Equal((30, LoadReason.LoadingInPartIsFaster), (decision.Chunks, decision.Reason));
    }

    [Fact]
    public void Decide_TooSlowForLong_IsTriedOnceAgain()
    {
        Measure();
        _advisor.TokensPerSecond = 100_000;
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(LoadReason.Probe, _advisor.Decide(Links(0, 4, _tier)).Reason);
        Assert.Equal(LoadReason.ComputingIsFaster, _advisor.Decide(Links(0, 4, _tier)).Reason);
    }

    [Fact]
    public void Meter_TierBecomesSlower_FollowsWithinAFewReads()
    {
        Measure();
        for (var read = 0; read < 15; read++)
        {
            _tier.Meter.Read(1_000_000, TimeSpan.FromMilliseconds(1010), _time.GetTimestamp());
        }
        Assert.InRange(_tier.Meter.Rates.BytesPerSecond, 1e6, 5e6);
    }
}
