using Ferry.Cache.Remote;
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
    public async Task SendAsync_BodyThatTrickles_EndsAtTheDeadline()
    {
        using var requests = new S3Requests(_options, _time);
        ProgressDeadline? under = null;
        var sent = requests.SendAsync("GET", 1 << 20, progress => UntilEndAsync(under = progress), CancellationToken.None);
        for (var second = 0; second < 4; second++)
        {
            Assert.False(sent.IsCompleted);
            under!.Moved(1000);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Contains("slower than 16 MB/s", (await Assert.ThrowsAsync<S3TierException>(() => sent)).Message);
    }

    [Fact]
    public async Task UploadAsync_BodyThatTrickles_GoesOnPastEveryDeadlineAndEndsWhenItStalls()
    {
        using var requests = new S3Requests(_options, _time);
        ProgressDeadline? under = null;
        var sent = requests.UploadAsync("PUT", 1 << 20, progress => UntilEndAsync(under = progress), CancellationToken.None);
        for (var second = 0; second < 3600; second++)
        {
            under!.Moved(1);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.False(sent.IsCompleted);
        _time.Advance(_options.IdleTimeout);
        Assert.Contains("nothing moved for 2 s after 3600 bytes", (await Assert.ThrowsAsync<S3TierException>(() => sent)).Message);
        Assert.Equal(0, requests.Retries);
    }

    [Fact]
    public async Task UploadAsync_AllSentAndNoAnswer_EndsWhenTheStoreHasHadItsTimeForTheBytes()
    {
        using var requests = new S3Requests(_options, _time);
        var sent = requests.UploadAsync("PUT", 80_000_000, progress =>
        {
            progress.Moved(80_000_000);
            progress.AwaitAnswer();
            return UntilEndAsync(progress);
        }, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(79));
        Assert.False(sent.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("all of its 80000000 bytes are sent and no answer came", (await Assert.ThrowsAsync<S3TierException>(() => sent)).Message);
    }

    private static async Task<bool> UntilEndAsync(ProgressDeadline progress)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, progress.Token);
        return true;
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
