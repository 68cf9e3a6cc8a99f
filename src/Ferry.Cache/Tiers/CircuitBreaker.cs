namespace Ferry.Cache.Tiers;

/// <summary>Closed: everything passes. After failures in a row: open, nothing passes. After a while: one trial, which closes or opens it again.</summary>
/// <remarks>Thread-safe. Every true of <see cref="TryEnter"/> is answered by exactly one of <see cref="Succeeded"/>, <see cref="Failed"/>, <see cref="Withdrawn"/>.</remarks>
internal sealed class CircuitBreaker(TierGuardOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private int _failuresInARow;
    private long _failures;
    private bool _open;
    private bool _trial;
    private long _openedAt;
    private TimeSpan _openFor = options.OpenFor;

    public bool IsOpen
    {
        get
        {
            lock (_lock)
            {
                return _open;
            }
        }
    }

    public long Failures => Volatile.Read(ref _failures);

    public bool TryEnter()
    {
        lock (_lock)
        {
            if (!_open)
            {
                return true;
            }
            if (_trial || time.GetElapsedTime(_openedAt) < _openFor)
            {
                return false;
            }
            _trial = true;
            return true;
        }
    }

    /// <returns>True when this closed the circuit.</returns>
    public bool Succeeded()
    {
        lock (_lock)
        {
            _failuresInARow = 0;
            _trial = false;
            if (!_open)
            {
                return false;
            }
            _open = false;
            _openFor = options.OpenFor;
            return true;
        }
    }

    /// <returns>How long the circuit is open from now, or null when it stays as it was.</returns>
    public TimeSpan? Failed()
    {
        Interlocked.Increment(ref _failures);
        lock (_lock)
        {
            _failuresInARow++;
            if (_open && !_trial)
            {
                return null; // Begun before it opened.
            }
            if (!_open && _failuresInARow < options.FailuresToOpen)
            {
                return null;
            }
            if (_trial)
            {
                _openFor = _openFor * 2 < options.OpenForMax ? _openFor * 2 : options.OpenForMax;
            }
            (_open, _trial, _openedAt) = (true, false, time.GetTimestamp());
            return _openFor;
        }
    }

    /// <summary>The caller gave up: neither good nor bad.</summary>
    public void Withdrawn()
    {
        lock (_lock)
        {
            _trial = false;
        }
    }
}
