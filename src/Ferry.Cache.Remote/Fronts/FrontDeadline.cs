namespace Ferry.Cache.Remote.Fronts;

/// <summary>When a connection must have got on; looked at by its listener once a second, so that setting one costs a clock reading and no timer.</summary>
internal sealed class FrontDeadline(TimeProvider time, TimeSpan stallTimeout, TimeSpan? idleTimeout, long transferBytesPerSecondMin)
{
    private const long None = long.MaxValue;
    private long _due = None;
    private int _isIdle;

    /// <summary>Waiting for a command's first byte.</summary>
    public bool IsIdle => Volatile.Read(ref _isIdle) != 0;

    /// <summary>From now on only the idle timeout counts, if there is one.</summary>
    /// <param name="isTrusted">False for a client that has yet to give its password: it gets no longer than a command.</param>
    public void Idle(bool isTrusted)
    {
        Volatile.Write(ref _due, (isTrusted ? idleTimeout : stallTimeout) is { } limit ? After(limit) : None);
        // A full fence: whoever stops the front sets its flag before it looks here, and the connection looks at that flag after this.
        Interlocked.Exchange(ref _isIdle, 1);
    }

    /// <summary>A command, or a few bytes, must be through in the stall timeout.</summary>
    public void Step() => Set(stallTimeout);

    public void Transfer(long byteCount) => Set(stallTimeout + TimeSpan.FromSeconds((double)byteCount / transferBytesPerSecondMin));

    /// <summary>The front itself is at work: the client is not to blame for its time.</summary>
    public void Pause()
    {
        Volatile.Write(ref _due, None);
        Volatile.Write(ref _isIdle, 0);
    }

    public bool IsPast(long timestamp) => timestamp >= Volatile.Read(ref _due);

    private void Set(TimeSpan limit)
    {
        Volatile.Write(ref _due, After(limit));
        Volatile.Write(ref _isIdle, 0);
    }

    private long After(TimeSpan limit) => time.GetTimestamp() + (long)(limit.TotalSeconds * time.TimestampFrequency);
}
