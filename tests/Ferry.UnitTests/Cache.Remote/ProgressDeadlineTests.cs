using Ferry.Cache.Remote;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.CacheRemote;

public sealed class ProgressDeadlineTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Token_NothingMoves_EndsAfterTheIdleTimeout()
    {
        using var deadline = new ProgressDeadline(Idle, Whole, _time, CancellationToken.None);
        deadline.Moved(100);
        _time.Advance(Idle);
        Assert.Equal((true, true, false, 100L), (deadline.Token.IsCancellationRequested, deadline.IsIdle, deadline.IsLate, deadline.MovedBytes));
    }

    [Fact]
    public void Token_TrickleForEver_EndsAtTheDeadlineOfTheWhole()
    {
        using var deadline = new ProgressDeadline(Idle, Whole, _time, CancellationToken.None);
        for (var second = 0; second < 10; second++)
        {
            Assert.False(deadline.Token.IsCancellationRequested);
            deadline.Moved(1);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal((false, true), (deadline.IsIdle, deadline.IsLate));
    }

    [Fact]
    public void AwaitAnswer_AllIsSent_OnlyTheWholeCounts()
    {
        using var deadline = new ProgressDeadline(Idle, Whole, _time, CancellationToken.None);
        deadline.Moved(1);
        deadline.AwaitAnswer();
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(deadline.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(deadline.IsLate);
    }

    [Fact]
    public void Token_CallerGivesUp_IsNeitherIdleNorLate()
    {
        using var caller = new CancellationTokenSource();
        using var deadline = new ProgressDeadline(Idle, Whole, _time, caller.Token);
        caller.Cancel();
        Assert.Equal((true, false, false), (deadline.Token.IsCancellationRequested, deadline.IsIdle, deadline.IsLate));
    }
}
