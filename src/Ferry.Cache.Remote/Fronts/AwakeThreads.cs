namespace Ferry.Cache.Remote.Fronts;

/// <summary>How many of a front's threads are awake: at work, or watching for their client's next command. Thread-safe.</summary>
/// <param name="processors">That the process may use.</param>
internal sealed class AwakeThreads(int processors)
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether one that is awake may watch instead of sleeping: half of the processors are the clients', who may be on this machine, and everybody else's.</summary>
    public bool MayWatch => Count <= processors / 2;

    public void Woke() => Interlocked.Increment(ref _count);

    public void Slept() => Interlocked.Decrement(ref _count);
}
