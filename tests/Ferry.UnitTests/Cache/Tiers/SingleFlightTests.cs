using Ferry.Cache.Tiers;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers;

public sealed class SingleFlightTests
{
    [Fact]
    public async Task RunAsync_ManyAtOnce_WorksOnceAndAllWait()
    {
        var flights = new SingleFlight<string>();
        var gate = new TaskCompletionSource();
        var runs = 0;
        var callers = Enumerable.Range(0, 20).Select(_ => flights.RunAsync("a", async _ => { Interlocked.Increment(ref runs); await gate.Task; }, CancellationToken.None)).ToArray();
        Assert.Equal(1, flights.Count);
        gate.SetResult();

        Assert.Single(await Task.WhenAll(callers), leads => leads);
        Assert.Equal((1, 0), (runs, flights.Count));
    }

    [Fact]
    public async Task RunAsync_LeaderGivesUp_WorkGoesOnForTheOthers()
    {
        var flights = new SingleFlight<string>();
        var gate = new TaskCompletionSource();
        using var impatient = new CancellationTokenSource();
        var cancelled = false;
        var leader = flights.RunAsync("a", async token => { await gate.Task; cancelled = token.IsCancellationRequested; }, impatient.Token);
        var follower = flights.RunAsync("a", _ => throw new InvalidOperationException("a second run"), CancellationToken.None);
        impatient.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        Assert.False(follower.IsCompleted);
        gate.SetResult();
        Assert.False(await follower);
        Assert.False(cancelled);
    }

    [Fact]
    public async Task RunAsync_AllGiveUp_CancelsTheWorkAndTheNextCallerStartsAnew()
    {
        var flights = new SingleFlight<string>();
        var stopped = new TaskCompletionSource();
        using var impatient = new CancellationTokenSource();
        var first = flights.RunAsync("a", token => { token.Register(() => stopped.SetResult()); return stopped.Task; }, impatient.Token);
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await stopped.Task;

        Assert.True(await flights.RunAsync("a", _ => Task.CompletedTask, CancellationToken.None));
    }

    [Fact]
    public async Task RunAsync_WorkThrows_AllSeeItAndTheNextCallerStartsAnew()
    {
        var flights = new SingleFlight<string>();
        var gate = new TaskCompletionSource();
        var callers = Enumerable.Range(0, 3).Select(_ => flights.RunAsync("a", async _ => { await gate.Task; throw new IOException("x"); }, CancellationToken.None)).ToArray();
        gate.SetResult();
        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<IOException>(() => caller);
        }
        Assert.True(await flights.RunAsync("a", _ => Task.CompletedTask, CancellationToken.None));
    }
}
