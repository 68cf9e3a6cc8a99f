namespace Ferry.Router.Health;

/// <summary>What probes and legs say of one node. Times are milliseconds of <see cref="RouterTime"/>.</summary>
/// <remarks>Two judges: probes take a node out until probes succeed again; failed legs take it out for a time, longer each time in a row.</remarks>
internal sealed class NodeHealth(long since)
{
    /// <summary>Share of a new leg in the error rate: it follows about the last hundred.</summary>
    private const double RateShare = 0.02;

    /// <summary>Legs before an error rate means something.</summary>
    private const int RateLegs = 20;
    private const int MaxEjectFactor = 10;

    private readonly Lock _judging = new();
    private int _probesFailed;
    private int _probesSucceeded;
    private int _legsFailed;
    private int _legs;
    private double _errorRate;
    private int _ejections;
    private long _ejectedUntil = long.MinValue;
    private long _since = since;
    private bool _isUp = true;
    private bool _hasAnswered;

    /// <summary>What the last probe said; null: it was well, or none came yet.</summary>
    public string? ProbeError { get; private set; }

    public bool IsUp { get { lock (_judging) { return _isUp; } } }

    /// <summary>Running and waiting requests as the node's own /metrics say, other routers' included.</summary>
    public int ReportedRequests { get; set; }

    /// <summary>Share of the node's KV pages in use, as its own /metrics say.</summary>
    public double KvUsage { get; set; }

    public double ErrorRate { get { lock (_judging) { return _errorRate; } } }

    public bool IsUsable(long now) { lock (_judging) { return _isUp && _ejectedUntil <= now; } }

    public bool IsEjected(long now) { lock (_judging) { return _ejectedUntil > now; } }

    /// <summary>Share of its load that the node gets now: it grows to 1 over the slow start.</summary>
    public double Ramp(long now, TimeSpan slowStart)
    {
        const double Least = 0.05;
        lock (_judging)
        {
            return slowStart <= TimeSpan.Zero ? 1 : Math.Clamp((now - _since) / slowStart.TotalMilliseconds, Least, 1);
        }
    }

    /// <summary>Takes a probe's result in.</summary>
    /// <param name="error">Null: well.</param>
    /// <returns>Whether the node went up or down by it.</returns>
    public bool Probed(string? error, long now, RouterOptions options)
    {
        lock (_judging)
        {
            ProbeError = error;
            _probesFailed = error is null ? 0 : _probesFailed + 1;
            _probesSucceeded = error is null ? _probesSucceeded + 1 : 0;
            if (_isUp && _probesFailed >= options.UnhealthyAfter)
            {
                _isUp = false;
                return true;
            }
            // A node that starts with the router has nothing to make good: its first answer counts.
            var enough = _hasAnswered ? options.HealthyAfter : 1;
            _hasAnswered |= error is null;
            if (!_isUp && _probesSucceeded >= enough)
            {
                _isUp = true;
                _since = now;
                return true;
            }
            return false;
        }
    }

    public void LegSucceeded()
    {
        lock (_judging)
        {
            _legsFailed = 0;
            _ejections = 0;
            Count(0);
        }
    }

    /// <summary>Takes a failed leg in.</summary>
    /// <returns>How long the node is left out; null: it is not.</returns>
    public TimeSpan? LegFailed(long now, RouterOptions options)
    {
        lock (_judging)
        {
            _legsFailed++;
            Count(1);
            var isBad = _legsFailed >= options.EjectAfter || (_legs >= RateLegs && _errorRate >= options.EjectErrorRate);
            if (!isBad || _ejectedUntil > now) { return null; }
            var time = options.EjectTime * Math.Min(MaxEjectFactor, Math.Pow(2, _ejections++));
            _ejectedUntil = now + (long)time.TotalMilliseconds;
            _since = _ejectedUntil;
            _legsFailed = 0;
            _legs = 0;
            _errorRate = 0;
            return time;
        }
    }

    private void Count(double failed)
    {
        _legs++;
        _errorRate += (failed - _errorRate) * Math.Max(RateShare, 1.0 / _legs);
    }
}
