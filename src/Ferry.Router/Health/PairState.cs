namespace Ferry.Router.Health;

/// <summary>The breaker of one prefill node and one decode node, and how fast KV moves between them.</summary>
internal sealed class PairState
{
    private readonly Lock _judging = new();
    private int _failures;
    private long _openUntil = long.MinValue;
    private bool _isTrying;

    /// <summary>Measured; 0: not yet.</summary>
    public double BytesPerSecond { get; private set; }

    /// <summary>Whether the pair may be used: closed, or its time is over and this request is the one that tries.</summary>
    public bool TryUse(long now, RouterOptions options)
    {
        lock (_judging)
        {
            if (_openUntil == long.MinValue) { return true; }
            if (_openUntil > now) { return false; }
            // One request tries; should it vanish without a report, the next may try after another open time.
            _openUntil = now + (long)options.PairOpenTime.TotalMilliseconds;
            _isTrying = true;
            return true;
        }
    }

    public bool IsUsable(long now) { lock (_judging) { return _openUntil <= now; } }

    /// <returns>Whether the pair was left out by it.</returns>
    public bool Failed(long now, RouterOptions options)
    {
        lock (_judging)
        {
            _failures++;
            if (!_isTrying && _failures < options.PairFailures) { return false; }
            _isTrying = false;
            _openUntil = now + (long)options.PairOpenTime.TotalMilliseconds;
            return true;
        }
    }

    public void Succeeded(long bytes, double seconds)
    {
        const double Share = 0.1;
        lock (_judging)
        {
            _failures = 0;
            _isTrying = false;
            _openUntil = long.MinValue;
            if (bytes > 0 && seconds > 0)
            {
                BytesPerSecond = BytesPerSecond == 0 ? bytes / seconds : (BytesPerSecond * (1 - Share)) + (bytes / seconds * Share);
            }
        }
    }
}
