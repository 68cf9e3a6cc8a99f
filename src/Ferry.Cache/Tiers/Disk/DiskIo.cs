using System.Collections.Concurrent;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Threads of their own for calls that block on the disk: as many as records may be under way, whatever the thread pool does.</summary>
internal sealed class DiskIo : IAsyncDisposable
{
    private readonly BlockingCollection<Action> _queue = []; // Bounded by _places.
    private readonly SemaphoreSlim _places;
    private readonly TaskCompletionSource[] _ended;

    /// <param name="queueMax">Calls waiting or running at one time; the next wait without a thread.</param>
    public DiskIo(string name, int threadCount, int queueMax)
    {
        _places = new SemaphoreSlim(Math.Max(queueMax, threadCount));
        _ended = new TaskCompletionSource[threadCount];
        for (var index = 0; index < threadCount; index++)
        {
            var ended = _ended[index] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            new Thread(() => Run(ended)) { IsBackground = true, Name = $"{name}-{index}" }.Start();
        }
    }

    /// <summary>Runs a call that blocks.</summary>
    /// <param name="cancellationToken">Takes the call back while it waits; once it runs it runs to its end, since it may touch its caller's memory.</param>
    public async Task<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _queue.Add(() => Complete(done, call, cancellationToken), CancellationToken.None);
            return await done.Task;
        }
        finally
        {
            _places.Release();
        }
    }

    public Task RunAsync(Action call, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            call();
            return true;
        },
        cancellationToken);

    /// <summary>Ends the threads after what is queued.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.CompleteAdding();
        await Task.WhenAll(_ended.Select(ended => ended.Task));
        _queue.Dispose();
        _places.Dispose();
    }

    private void Run(TaskCompletionSource ended)
    {
        foreach (var call in _queue.GetConsumingEnumerable())
        {
            call();
        }
        ended.SetResult();
    }

    private static void Complete<T>(TaskCompletionSource<T> done, Func<T> call, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            done.SetCanceled(cancellationToken);
            return;
        }
        try
        {
            done.SetResult(call());
        }
        catch (Exception error) // The edge of the thread: the caller sees it.
        {
            done.SetException(error);
        }
    }
}
