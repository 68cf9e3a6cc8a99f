using Ferry.Cache.Remote;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.CacheRemote;

public sealed class ProgressDeadlineTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Token_NothingMoves_EndsAfterTheIdleTimeout()
    {
        using var deadline = new ProgressDeadline(Idle, Answer, Whole, _time, CancellationToken.None);
        deadline.Moved(100);
        _time.Advance(Idle);
        Assert.Equal((true, true, false, 100L), (deadline.Token.IsCancellationRequested, deadline.IsIdle, deadline.IsLate, deadline.MovedBytes));
    }

    [Fact]
    public void Token_TrickleForEver_EndsAtTheDeadlineOfTheWhole()
    {
        using var deadline = new ProgressDeadline(Idle, Answer, Whole, _time, CancellationToken.None);
        for (var second = 0; second < 10; second++)
        {
            Assert.False(deadline.Token.IsCancellationRequested);
            deadline.Moved(1);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal((false, true), (deadline.IsIdle, deadline.IsLate));
    }

    [Fact]
    public void AwaitAnswer_AllIsSent_EndsAfterTheTimeoutForAnswers()
    {
        using var deadline = new ProgressDeadline(Idle, Answer, Whole, _time, CancellationToken.None);
        deadline.Moved(1);
        deadline.AwaitAnswer();
        _time.Advance(Answer - TimeSpan.FromSeconds(1));
        Assert.False(deadline.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((true, true, false), (deadline.IsIdle, deadline.IsAwaitingAnswer, deadline.IsLate));
    }

    [Fact]
    public void Token_NoEndOfTheWhole_LivesAsLongAsSomethingMoves()
    {
        using var deadline = new ProgressDeadline(Idle, Answer, Timeout.InfiniteTimeSpan, _time, CancellationToken.None);
        for (var second = 0; second < 1000; second++)
        {
            deadline.Moved(1);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.False(deadline.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(deadline.IsIdle);
    }

    [Fact]
    public void Token_CallerGivesUp_IsNeitherIdleNorLate()
    {
        using var caller = new CancellationTokenSource();
        using var deadline = new ProgressDeadline(Idle, Answer, Whole, _time, caller.Token);
        caller.Cancel();
        Assert.Equal((true, false, false), (deadline.Token.IsCancellationRequested, deadline.IsIdle, deadline.IsLate));
    }
}
