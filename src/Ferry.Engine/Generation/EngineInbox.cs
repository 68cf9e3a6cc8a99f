namespace Ferry.Engine.Generation;

/// <summary>What other threads want the engine's thread to do. Bounded by what posts: one submission, one abort and one load a request.</summary>
internal sealed class EngineInbox
{
    private readonly object _gate = new();
    private readonly Queue<Action> _actions = [];
    private bool _closed;

    public bool IsClosed
    {
        get { lock (_gate) { return _closed; } }
    }

    /// <summary>Any thread. False: the engine has ended, and the action will not run.</summary>
    public bool TryPost(Action action)
    {
        lock (_gate)
        {
            if (_closed) { return false; }
            _actions.Enqueue(action);
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Takes nothing more in. What is in can still be drained.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Runs what was posted, in order, on this thread.</summary>
    public void Drain()
    {
        while (TryTake() is { } action) { action(); }
    }

    /// <summary>Blocks until there is something to drain, or the inbox is closed.</summary>
    public void Wait()
    {
        lock (_gate)
        {
            while (_actions.Count == 0 && !_closed) { Monitor.Wait(_gate); }
        }
    }

    private Action? TryTake()
    {
        lock (_gate) { return _actions.TryDequeue(out var action) ? action : null; }
    }
}
