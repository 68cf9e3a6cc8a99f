namespace Ferry.Cache.Remote.Fronts;

/// <summary>A connection's own thread: its socket calls block here, and nowhere else. docs/decisions/0006-fronts-own-their-sockets.md says what that saves.</summary>
/// <remarks>
/// The connection's code is written with await, as all code here. As long as the store answers at once it never leaves this thread; where it had to wait
/// it goes on wherever the store's answer came, and the next socket call comes back by <see cref="SwitchTo"/>.
/// </remarks>
internal sealed class FrontThread
{
    /// <summary>Reserved, not used: what a session calls is a few dozen frames deep.</summary>
    private const int StackBytes = 512 << 10;

    private readonly object _gate = new();
    private Thread? _thread;
    private Action? _next; // Under the gate. One at most: a connection does one thing at a time.

    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Starts the thread, which runs <paramref name="body"/> to its end. Once.</summary>
    /// <returns>Ends with the body, and never fails: what the body throws is the body's to catch.</returns>
    /// <exception cref="OutOfMemoryException">The system has no thread left.</exception>
    public Task RunAsync(string name, Func<Task> body)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Loop(body, ended), StackBytes) { IsBackground = true, Name = name }.Start();
        return ended.Task;
    }

    /// <summary>Await it to go on on this thread.</summary>
    public FrontSwitch SwitchTo() => new(this);

    internal void Post(Action next)
    {
        lock (_gate)
        {
            _next = next;
            Monitor.Pulse(_gate);
        }
    }

    private void Loop(Func<Task> body, TaskCompletionSource ended)
    {
        _thread = Thread.CurrentThread; // Only the body, which runs from here on, looks at it.
        var running = body();
        _ = running.ContinueWith(_ => Post(static () => { }), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!running.IsCompleted)
        {
            Take()();
        }
        ended.SetResult();
    }

    private Action Take()
    {
        lock (_gate)
        {
            while (_next is null)
            {
                Monitor.Wait(_gate);
            }
            var next = _next;
            _next = null;
            return next;
        }
    }
}
