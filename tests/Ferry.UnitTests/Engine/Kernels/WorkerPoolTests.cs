using Ferry.Engine.Kernels;
using Xunit;

namespace Ferry.UnitTests.Engine.Kernels;

public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManyJobs_RunsEachTaskOnceAndNoneAfterReturning(int workers)
    {
        using var pool = new WorkerPool(workers);
        for (int job = 0; job < 2000; job++)
        {
            int tasks = job % 17;
            var counts = new int[17];
            pool.Run(tasks, (task, worker) =>
            {
                Assert.InRange(worker, 0, workers - 1);
                Interlocked.Increment(ref counts[task]);
            });
            Assert.Equal(Enumerable.Range(0, 17).Select(task => task < tasks ? 1 : 0), counts);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Run_ATaskThatThrows_RethrowsAndLeavesThePoolUsable(int workers)
    {
        using var pool = new WorkerPool(workers);
        Assert.Throws<InvalidDataException>(() => pool.Run(8, (task, _) => { if (task == 3) { throw new InvalidDataException("x"); } }));
        int done = 0;
        pool.Run(8, (_, _) => Interlocked.Increment(ref done));
        Assert.Equal(8, done);
    }

    [Fact]
    public void Dispose_WithSleepingWorkers_EndsThem()
    {
        var pool = new WorkerPool(4);
        pool.Run(4, (_, _) => { });
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(1, (_, _) => { }));
    }
}
