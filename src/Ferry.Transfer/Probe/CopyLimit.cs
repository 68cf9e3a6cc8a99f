namespace Ferry.Transfer.Probe;

/// <summary>What memory gives at best: plain copies from one arena into another, by as many threads as there are streams.</summary>
public static class CopyLimit
{
    public static async Task<ProbeSample> RunAsync(
        ProbeArena source, ProbeArena target, long bytes, int threads, TimeSpan duration, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var begun = clock.GetTimestamp();
        long moved = 0;
        var slots = Math.Max(1, Math.Min(source.Bytes, target.Bytes) / bytes);
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (var n = (long)thread; clock.GetElapsedTime(begun) < duration && !cancellationToken.IsCancellationRequested; n += threads)
                {
                    var offset = n % slots * bytes;
                    Copy(source, target, offset, bytes);
                    Interlocked.Add(ref moved, bytes);
                }
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        var elapsed = clock.GetElapsedTime(begun);
        process.Refresh();
        return new ProbeSample(moved, elapsed, process.TotalProcessorTime - cpu, [], null);
    }

    // Both arenas are the caller's until the measurement has ended: that keeps the addresses alive.
    private static unsafe void Copy(ProbeArena source, ProbeArena target, long offset, long bytes) =>
        Buffer.MemoryCopy((byte*)source.Address + offset, (byte*)target.Address + offset, bytes, bytes);
}
