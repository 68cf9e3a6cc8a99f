namespace Ferry.Cache.Records;

/// <summary>Wakes those who wait for room whenever some may have come. Thread-safe.</summary>
internal sealed class RoomSignal(int waitersMax)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = NewSource();
    private int _waiters;

    /// <summary>Joins the waiters. Whoever looks for room after this and finds none is woken by the next that comes.</summary>
    /// <returns>False when there are too many.</returns>
    public bool TryJoin()
    {
        lock (_lock)
        {
            if (_waiters == waitersMax)
            {
                return false;
            }
            Volatile.Write(ref _waiters, _waiters + 1);
            return true;
        }
    }

    /// <summary>The next wake-up.</summary>
    public Task Next
    {
        get
        {
            lock (_lock)
            {
                return _next.Task;
            }
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            Volatile.Write(ref _waiters, _waiters - 1);
        }
    }

    /// <summary>Room may have come. Costs one read when nobody waits.</summary>
    public void Wake()
    {
        Interlocked.MemoryBarrier(); // What made the room is visible to a waiter whom this does not see yet.
        if (Volatile.Read(ref _waiters) == 0)
        {
            return;
        }
        TaskCompletionSource woken;
        lock (_lock)
        {
            (woken, _next) = (_next, NewSource());
        }
        woken.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
