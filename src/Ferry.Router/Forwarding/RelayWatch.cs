using Ferry.Router.Metrics;

namespace Ferry.Router.Forwarding;

/// <summary>Takes the times of one answer: its first token and each one after it.</summary>
internal sealed class RelayWatch(RouterMetrics metrics, TimeProvider clock, long arrived)
{
    private long _first;
    private long _last;
    private long _events;

    /// <summary>Output went to the client.</summary>
    public void Output(int eventCount)
    {
        var now = clock.GetTimestamp();
        if (_events == 0)
        {
            _first = now;
            metrics.FirstByte(clock.GetElapsedTime(arrived, now));
        }
        else
        {
            metrics.NextToken(clock.GetElapsedTime(_last, now));
        }
        _last = now;
        _events += eventCount;
    }

    public void Done()
    {
        if (_events > 1)
        {
            metrics.StreamDone(clock.GetElapsedTime(_first, _last), _events - 1);
        }
    }
}
