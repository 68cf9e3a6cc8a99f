using Ferry.Cache.Tiers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers;

public sealed class CircuitBreakerTests
{
    private static readonly TierGuardOptions Options = new() { FailuresToOpen = 3, OpenFor = TimeSpan.FromSeconds(2), OpenForMax = TimeSpan.FromSeconds(5) };
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Failed_ThreeInARow_OpensForTwoSecondsThenLetsOneTrialPass()
    {
        var breaker = new CircuitBreaker(Options, _time);
        Assert.Null(breaker.Failed());
        Assert.Null(breaker.Failed());
        Assert.Equal(Options.OpenFor, breaker.Failed());

        Assert.False(breaker.TryEnter());
        _time.Advance(Options.OpenFor);
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.TryEnter());
        Assert.True(breaker.Succeeded());
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.Succeeded());
    }

    [Fact]
    public void Failed_TrialAfterTrial_DoublesUpToTheLimit()
    {
        var breaker = new CircuitBreaker(Options, _time);
        Open(breaker);
        foreach (var seconds in (int[])[4, 5, 5])
        {
            _time.Advance(Options.OpenForMax);
            Assert.True(breaker.TryEnter());
            Assert.Equal(TimeSpan.FromSeconds(seconds), breaker.Failed());
        }
    }

    [Fact]
    public void Succeeded_BetweenFailures_StartsTheCountAnew()
    {
        var breaker = new CircuitBreaker(Options, _time);
        breaker.Failed();
        breaker.Failed();
        breaker.Succeeded();
        Assert.Null(breaker.Failed());
        Assert.False(breaker.IsOpen);
    }

    [Fact]
    public void Withdrawn_TrialGivenUp_LeavesRoomForAnother()
    {
        var breaker = new CircuitBreaker(Options, _time);
        Open(breaker);
        _time.Advance(Options.OpenFor);
        Assert.True(breaker.TryEnter());
        breaker.Withdrawn();
        Assert.True(breaker.TryEnter());
    }

    private static void Open(CircuitBreaker breaker)
    {
        while (breaker.Failed() is null)
        {
        }
    }
}
