namespace Ferry.Cluster.Planning.Simulation;

/// <summary>A link whose flows all get the same share of its rate at every moment.</summary>
internal sealed class FairShare(double bytesPerSecond)
{
    private readonly PriorityQueue<int, double> _flows = new();
    private double _served;   // bytes that a flow present since the beginning would have got
    private double _now;

    /// <summary>Time in which something was under way.</summary>
    public double BusySeconds { get; private set; }

    /// <summary>Bytes of the flows that ended.</summary>
    public double MovedBytes { get; private set; }

    /// <summary>When the next flow ends if no other comes; infinite when there is none.</summary>
    public double NextEnd => _flows.TryPeek(out _, out var tag) ? _now + (Math.Max(0, tag - _served) * _flows.Count / bytesPerSecond) : double.PositiveInfinity;

    public void Add(double now, int flow, double bytes)
    {
        Advance(now);
        _flows.Enqueue(flow, _served + bytes);
        MovedBytes += bytes;
    }

    /// <summary>Takes out the flow that ends at <see cref="NextEnd"/>.</summary>
    public int End(double now)
    {
        Advance(now);
        _flows.TryDequeue(out var flow, out var tag);
        // An empty link begins at zero again, so that no digit is lost however long the run.
        _served = _flows.Count == 0 ? 0 : Math.Max(_served, tag);
        return flow;
    }

    private void Advance(double now)
    {
        if (_flows.Count > 0)
        {
            _served += (now - _now) * bytesPerSecond / _flows.Count;
            BusySeconds += now - _now;
        }
        _now = now;
    }
}
