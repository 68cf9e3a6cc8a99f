namespace Ferry.Transfer.InProcess;

/// <summary>Faults of an <see cref="InProcessNetwork"/>, drawn from a seed, and cuts made by hand.</summary>
/// <remarks>Thread-safe. The same seed and the same order of messages give the same faults.</remarks>
public sealed class FaultPlan(int seed, FaultRates rates)
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(seed);
    private readonly HashSet<(string From, string To)> _cuts = [];
    private FaultRates _rates = rates;

    public int Seed { get; } = seed;

    /// <summary>From now on.</summary>
    public FaultRates Rates
    {
        get
        {
            lock (_gate)
            {
                return _rates;
            }
        }

        set
        {
            lock (_gate)
            {
                _rates = value;
            }
        }
    }

    /// <summary>Nothing passes between two endpoints, in either direction, until <see cref="Heal"/>.</summary>
    public void Partition(string one, string other)
    {
        lock (_gate)
        {
            _cuts.Add((one, other));
            _cuts.Add((other, one));
        }
    }

    /// <summary>Half-open: nothing passes from one endpoint to the other; the other direction still works.</summary>
    public void CutOneWay(string from, string to)
    {
        lock (_gate)
        {
            _cuts.Add((from, to));
        }
    }

    /// <summary>Ends every cut between two endpoints.</summary>
    public void Heal(string one, string other)
    {
        lock (_gate)
        {
            _cuts.Remove((one, other));
            _cuts.Remove((other, one));
        }
    }

    internal MessageFate Next(string from, string to)
    {
        lock (_gate)
        {
            // Always the same number of draws a message, so that one rate's change does not shift the others' faults.
            var (drop, duplicate, corrupt, delay) = (_random.NextDouble(), _random.NextDouble(), _random.NextDouble(), _random.NextDouble());
            var (share, bit) = (_random.NextDouble(), (ulong)_random.NextInt64());
            return new MessageFate(
                drop < _rates.Drop || _cuts.Contains((from, to)),
                duplicate < _rates.Duplicate,
                delay < _rates.Delay ? _rates.DelayMax * share : TimeSpan.Zero,
                corrupt < _rates.Corrupt ? bit : null);
        }
    }
}
