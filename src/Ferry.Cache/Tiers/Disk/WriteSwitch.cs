using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Tiers.Disk;

/// <summary>Off after a write has failed: one warning, then nothing is written until a trial succeeds. Reading goes on. Thread-safe.</summary>
internal sealed class WriteSwitch(string tier, DiskTierOptions options, TimeProvider time, ILogger logger)
{
    private readonly Lock _lock = new();
    private DiskFault? _fault;
    private TimeSpan _wait;
    private long _since;
    private bool _trial;

    /// <summary>Why nothing is written; null when on.</summary>
    public DiskFault? Fault
    {
        get
        {
            lock (_lock)
            {
                return _fault;
            }
        }
    }

    /// <returns>Null to go on, or what to answer. After null exactly one of <see cref="Succeeded"/>, <see cref="Failed"/>, <see cref="Withdrawn"/> follows.</returns>
    public TierPutOutcome? TryEnter()
    {
        lock (_lock)
        {
            if (_fault is null)
            {
                return null;
            }
            if (_trial || time.GetElapsedTime(_since) < _wait)
            {
                return _fault.Outcome;
            }
            _trial = true;
            return null;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            _trial = false;
            if (_fault is null)
            {
                return;
            }
            _fault = null;
        }
        DiskLog.WritingOn(logger, tier);
    }

    /// <summary>Neither: it was called off.</summary>
    public void Withdrawn()
    {
        lock (_lock)
        {
            _trial = false;
        }
    }

    public DiskFault Failed(Exception error)
    {
        var fault = DiskFault.Of(error);
        bool isNews;
        TimeSpan wait;
        lock (_lock)
        {
            isNews = _fault is null;
            wait = _wait = isNews ? options.RetryAfter : Min(_wait * 2, options.RetryAfterMax);
            (_fault, _since, _trial) = (fault, time.GetTimestamp(), false);
        }
        if (isNews)
        {
            DiskLog.WritingOff(logger, tier, error.Message, fault.WayOut, wait);
        }
        return fault;
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
