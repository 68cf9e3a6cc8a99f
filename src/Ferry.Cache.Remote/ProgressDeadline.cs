namespace Ferry.Cache.Remote;

/// <summary>A token that ends when nothing moves for a while, when the whole takes too long, or when the caller gives up, and that knows which it was.</summary>
/// <remarks>One operation, one instance. A deadline alone cannot tell a slow line from a dead one; a pause alone lets a trickle go on for ever.</remarks>
internal sealed class ProgressDeadline : IDisposable
{
    private readonly CancellationTokenSource _idle;
    private readonly CancellationTokenSource _whole;
    private readonly CancellationTokenSource _linked;
    private readonly TimeSpan _idleTimeout;
    private readonly TimeSpan _answerTimeout;

    /// <param name="answerTimeout">What counts in place of <paramref name="idleTimeout"/> once all is sent.</param>
    public ProgressDeadline(TimeSpan idleTimeout, TimeSpan answerTimeout, TimeSpan wholeTimeout, TimeProvider time, CancellationToken cancellationToken)
    {
        (_idleTimeout, _answerTimeout) = (idleTimeout, answerTimeout);
        _idle = new CancellationTokenSource(idleTimeout, time);
        _whole = new CancellationTokenSource(wholeTimeout, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _idle.Token, _whole.Token);
    }

    public CancellationToken Token => _linked.Token;

    /// <summary>True when nothing moved for the idle time-out, or no answer came.</summary>
    public bool IsIdle => _idle.IsCancellationRequested;

    /// <summary>True when all is sent and nothing has moved since.</summary>
    public bool IsAwaitingAnswer { get; private set; }

    /// <summary>True when the whole took too long.</summary>
    public bool IsLate => _whole.IsCancellationRequested;

    /// <summary>Bytes that have moved so far, for the error that says where it stopped.</summary>
    public long MovedBytes { get; private set; }

    /// <summary>Something moved: the idle time-out begins again.</summary>
    public void Moved(long byteCount)
    {
        MovedBytes += byteCount;
        IsAwaitingAnswer = false;
        _idle.CancelAfter(_idleTimeout); // Does nothing once it has ended.
    }

    /// <summary>All is sent and the other side works on it, which nobody sees: the time-out for answers counts until something moves again.</summary>
    public void AwaitAnswer()
    {
        IsAwaitingAnswer = true;
        _idle.CancelAfter(_answerTimeout);
    }

    public void Dispose()
    {
        _linked.Dispose();
        _idle.Dispose();
        _whole.Dispose();
    }
}
