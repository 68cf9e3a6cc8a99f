using Ferry.Cache.Remote.S3;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.S3;

public sealed class S3RequestsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly S3TierOptions _options = new()
    {
        Location = new S3Location(new Uri("http://ceph:7480"), "kvcache", "", "default", true, null),
        RequestsMax = 2,
        RetriesMax = 2,
        RetryPause = TimeSpan.FromSeconds(1),
        RetryPauseMax = TimeSpan.FromSeconds(3),
        Jitter = static () => 0.5,
    };

    [Fact]
    public async Task SendAsync_FaultThatMayPass_IsTriedAgainAfterAGrowingPauseAndThenSaid()
    {
        using var requests = new S3Requests(_options, _time);
        var tries = 0;
        var sent = requests.SendAsync<bool>("PUT", 1, _ =>
        {
            tries++;
            throw new HttpIOException(HttpRequestError.ResponseEnded);
        }, CancellationToken.None);
        Assert.Equal(1, tries);
        _time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Equal(1, tries);
        _time.Advance(TimeSpan.FromMilliseconds(1)); // Half of one second.
        await TestKit.Eventually.HoldsAsync(() => tries == 2);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(2, tries);
        _time.Advance(TimeSpan.FromMilliseconds(1)); // Half of two.
        var error = await Assert.ThrowsAsync<S3TierException>(() => sent);
        Assert.Equal((3, 2L), (tries, requests.Retries));
        Assert.Equal("PUT on bucket kvcache at http://ceph:7480 failed (tried 3 times): the connection was lost (HttpIOException).", error.Message);
        Assert.Null(error.InnerException);
    }

    [Fact]
    public async Task SendAsync_StoreThatHangs_IsNotAskedAgain()
    {
        using var requests = new S3Requests(_options, _time);
        var tries = 0;
        var sent = requests.SendAsync("GET", 1 << 20, async progress =>
        {
            tries++;
            progress.Moved(500);
            await Task.Delay(Timeout.InfiniteTimeSpan, progress.Token);
            return true;
        }, CancellationToken.None);
        _time.Advance(_options.IdleTimeout);
        var error = await Assert.ThrowsAsync<S3TierException>(() => sent);
        Assert.Contains("nothing moved for 2 s after 500 bytes", error.Message);
        Assert.Equal(1, tries);
    }

    [Fact]
    public async Task SendAsync_MoreThanTheLimit_WaitsForASlot()
    {
        using var requests = new S3Requests(_options, _time);
        var gate = new TaskCompletionSource<bool>();
        var running = 0;
        Task<bool>[] sent = [.. Enumerable.Range(0, 5).Select(_ => requests.SendAsync("GET", 0, _ =>
        {
            Interlocked.Increment(ref running);
            return gate.Task;
        }, CancellationToken.None))];
        Assert.Equal(2, running);
        gate.SetResult(true);
        await Task.WhenAll(sent);
        Assert.Equal(5, running);
    }

    [Fact]
    public async Task SendAsync_CallerGivesUp_IsCancelledAndNotAFault()
    {
        using var requests = new S3Requests(_options, _time);
        using var caller = new CancellationTokenSource();
        var sent = requests.SendAsync("GET", 0, async progress =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, progress.Token);
            return true;
        }, caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
    }
}
