namespace Ferry.Transfer.Tcp;

/// <summary>A thread for one loop. Every await of the loop comes back to it, so that the loop may block in the kernel, which then wakes it without a detour.</summary>
internal sealed class OwnThread : SynchronizationContext
{
    // Reserved, not used: a loop's calls are a few dozen frames deep.
    private const int StackBytes = 512 << 10;

    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new(); // its own lock
    private bool _ended;

    /// <summary>Runs <paramref name="loop"/> on a thread of its own until its task has ended.</summary>
    public static Task<T> RunAsync<T>(string name, Func<Task<T>> loop)
    {
        var result = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => result.SetResult(new OwnThread().Run(loop)), StackBytes) { IsBackground = true, Name = name }.UnsafeStart();
        return result.Task.Unwrap();
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_posted)
        {
            if (!_ended)
            {
                _posted.Enqueue((d, state));
                Monitor.Pulse(_posted);
                return;
            }
        }
        // What the loop has left behind goes on elsewhere.
        ThreadPool.UnsafeQueueUserWorkItem(_ => d(state), null);
    }

    private Task<T> Run<T>(Func<Task<T>> loop)
    {
        SetSynchronizationContext(this);
        var task = loop();
        if (!task.IsCompleted)
        {
            _ = task.ContinueWith(static (_, owner) => ((OwnThread)owner!).Post(static _ => { }, null),
                this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        while (true)
        {
            (SendOrPostCallback Callback, object? State) next;
            lock (_posted)
            {
                while (!_posted.TryDequeue(out next))
                {
                    if (task.IsCompleted)
                    {
                        _ended = true;
                        return task;
                    }
                    Monitor.Wait(_posted);
                }
            }
            next.Callback(next.State);
        }
    }
}
