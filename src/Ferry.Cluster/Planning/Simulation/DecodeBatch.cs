namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Sequences that decode together on one node. Each step gives each of them one token; between two events the steps run at an even pace.</summary>
/// <remarks>The pace is the roofline's for the sequences and tokens present at the last event: tokens that grow until the next one count from there on.</remarks>
internal sealed class DecodeBatch(NodeModel node)
{
    private readonly PriorityQueue<int, double> _sequences = new();
    private double _steps;   // made since the beginning
    private double _now;
    private double _stepSeconds;
    private double _contextTokens;
    private bool _isPaused;

    public int Count => _sequences.Count;

    public double BusySeconds { get; private set; }

    /// <summary>Sequences times seconds: divided by the run's length it is the average batch.</summary>
    public double SequenceSeconds { get; private set; }

    /// <summary>Time of one step of what is present now.</summary>
    public double StepSeconds => _stepSeconds;

    public double NextEnd => !_isPaused && _sequences.TryPeek(out _, out var tag) ? _now + (Math.Max(0, tag - _steps) * _stepSeconds) : double.PositiveInfinity;

    public void Add(double now, int sequence, int inputTokens, int outputTokens)
    {
        Advance(now);
        _sequences.Enqueue(sequence, _steps + outputTokens);
        _contextTokens += inputTokens;
        Pace();
    }

    /// <summary>The sequence that ends at <see cref="NextEnd"/>, which stays until <see cref="Remove"/> is told its length.</summary>
    public int First => _sequences.Peek();

    /// <param name="tokens">That the sequence holds at its end.</param>
    public void Remove(double now, int tokens)
    {
        Advance(now);
        _sequences.TryDequeue(out _, out var tag);
        _steps = _sequences.Count == 0 ? 0 : Math.Max(_steps, tag);
        _contextTokens = _sequences.Count == 0 ? 0 : Math.Max(0, _contextTokens - tokens);
        Pace();
    }

    /// <summary>A prefill on the same node takes the device for itself.</summary>
    public void Pause(double now, bool isPaused)
    {
        Advance(now);
        _isPaused = isPaused;
    }

    private void Advance(double now)
    {
        if (_sequences.Count > 0 && !_isPaused && _stepSeconds > 0)
        {
            var steps = (now - _now) / _stepSeconds;
            _steps += steps;
            _contextTokens += steps * _sequences.Count;
            BusySeconds += now - _now;
            SequenceSeconds += (now - _now) * _sequences.Count;
        }
        _now = now;
    }

    private void Pace() => _stepSeconds = _sequences.Count == 0 ? 0 : node.StepSeconds(_sequences.Count, _contextTokens);
}
