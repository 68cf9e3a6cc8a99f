namespace Ferry.Router.Forwarding;

/// <summary>Cancels when nothing has gone on for a while, when a deadline has passed, or when its parent does.</summary>
internal sealed class IdleTimer : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _parent;
    private readonly CancellationToken _parentToken;
    private readonly TimeProvider _clock;
    private readonly long _deadline;
    private TimeSpan _idle;

    /// <param name="idle">Longest time without progress.</param>
    /// <param name="deadline">Longest time at all, from now.</param>
    public IdleTimer(TimeSpan idle, TimeSpan deadline, TimeProvider clock, CancellationToken parent)
    {
        (_clock, _idle, _parentToken) = (clock, idle, parent);
        _deadline = clock.GetTimestamp() + (long)(deadline.TotalSeconds * clock.TimestampFrequency);
        _source = new CancellationTokenSource(idle < deadline ? idle : deadline, clock);
        _parent = parent.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Whether it ran out by itself: the parent still wants to go on.</summary>
    public bool TimedOut => _source.IsCancellationRequested && !_parentToken.IsCancellationRequested;

    /// <summary>Something went on.</summary>
    public void Reset()
    {
        var left = _clock.GetElapsedTime(_clock.GetTimestamp(), _deadline);
        _source.CancelAfter(left < _idle ? (left > TimeSpan.Zero ? left : TimeSpan.Zero) : _idle);
    }

    /// <summary>Something went on, and from now on another pause is allowed.</summary>
    public void Reset(TimeSpan idle)
    {
        _idle = idle;
        Reset();
    }

    public void Dispose()
    {
        _parent.Dispose();
        _source.Dispose();
    }
}
