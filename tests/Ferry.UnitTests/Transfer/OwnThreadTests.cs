using Ferry.Transfer.Tcp;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class OwnThreadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_LoopThatAwaits_ComesBackToItsThreadEveryTime()
    {
        var gate = new SemaphoreSlim(0);
        var running = OwnThread.RunAsync("test", async () =>
        {
            var threads = new HashSet<int>();
            for (var i = 0; i < 100; i++)
            {
                threads.Add(Environment.CurrentManagedThreadId);
                await gate.WaitAsync(Token);
                await Nested();
                threads.Add(Environment.CurrentManagedThreadId);
            }
            Assert.Equal("test", Thread.CurrentThread.Name);
            return threads.Count;
        });
        for (var i = 0; i < 100; i++)
        {
            gate.Release();
            await Task.Yield();
        }

        Assert.Equal(1, await running);

        static async Task Nested() => await Task.Run(() => { });
    }

    [Fact]
    public async Task RunAsync_LoopThatFails_FailsItsTask()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => OwnThread.RunAsync<int>("test", async () =>
        {
            await Task.Yield();
            throw new InvalidOperationException("no");
        }));

        Assert.Equal("no", failure.Message);
    }

    [Fact]
    public async Task RunAsync_WhatIsLeftBehindByTheLoop_StillRuns()
    {
        var late = new TaskCompletionSource();
        Task? left = null;
        await OwnThread.RunAsync("test", () =>
        {
            left = LeftAsync();
            return Task.FromResult(true);
        });

        late.SetResult();

        await left!.WaitAsync(TimeSpan.FromSeconds(30), Token);

        async Task LeftAsync() => await late.Task;
    }
}
