namespace Ferry.Cache.Tiers;

/// <summary>How fast a tier has been of late. Thread-safe.</summary>
public sealed class TierMeter
{
    private const double Weight = 0.2; // Of the newest sample: after ten of them the old rate is a tenth of what is said.

    private readonly Lock _lock = new();
    private double _latencySeconds;
    private double _bytesPerSecond;
    private long _measuredAt;
    private bool _hasLatency;

    /// <summary>Told of every operation that the tier carried out; set once, at start.</summary>
    public Action<TierOperation, TimeSpan>? OnTimed { get; set; }

    /// <summary>Whether something has been read from the tier.</summary>
    public bool IsMeasured => Rates.BytesPerSecond > 0;

    public TierRates Rates
    {
        get
        {
            lock (_lock)
            {
                return new TierRates(TimeSpan.FromSeconds(_latencySeconds), _bytesPerSecond);
            }
        }
    }

    internal void Timed(TierOperation operation, TimeSpan time) => OnTimed?.Invoke(operation, time);

    internal void Found(TimeSpan time)
    {
        Timed(TierOperation.Find, time);
        lock (_lock)
        {
            _latencySeconds = _hasLatency ? Mix(_latencySeconds, time.TotalSeconds) : time.TotalSeconds;
            _hasLatency = true;
        }
    }

    internal void Read(long bytes, TimeSpan time, long now)
    {
        Timed(TierOperation.Read, time);
        lock (_lock)
        {
            // The latency is counted apart; but a read is never taken for more than ten times as fast as it was, should the look-ups have been slow.
            var seconds = Math.Max(Math.Max(time.TotalSeconds - _latencySeconds, time.TotalSeconds / 10), 1e-9);
            var rate = bytes / seconds;
            _bytesPerSecond = _bytesPerSecond > 0 ? Mix(_bytesPerSecond, rate) : rate;
            _measuredAt = now;
        }
    }

    /// <summary>Whether nothing has been read for so long that the caller should read once to see. True for one caller in each such time.</summary>
    internal bool TryClaimProbe(TimeSpan after, TimeProvider time)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_measuredAt) < after)
            {
                return false;
            }
            _measuredAt = time.GetTimestamp();
            return true;
        }
    }

    private static double Mix(double old, double sample) => old + (Weight * (sample - old));
}
