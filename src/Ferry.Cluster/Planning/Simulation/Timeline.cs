namespace Ferry.Cluster.Planning.Simulation;

/// <summary>When each of a fixed number of sources has its next event. The earliest is known at once; a change costs the logarithm of their number.</summary>
/// <remarks>A tournament tree: ties go to the lower number, so that a run is the same everywhere.</remarks>
internal sealed class Timeline
{
    private readonly double[] _times;
    private readonly int[] _winner;
    private readonly int _leaves;

    public Timeline(int sources)
    {
        _leaves = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, sources));
        _times = new double[_leaves];
        Array.Fill(_times, double.PositiveInfinity);
        _winner = new int[2 * _leaves];
        for (var leaf = 0; leaf < _leaves; leaf++)
        {
            _winner[_leaves + leaf] = leaf;
        }
        for (var node = _leaves - 1; node > 0; node--)
        {
            _winner[node] = _winner[2 * node];
        }
    }

    public int EarliestSource => _winner[1];

    public double EarliestTime => _times[_winner[1]];

    public void Set(int source, double time)
    {
        if (_times[source] == time)
        {
            return;
        }
        _times[source] = time;
        for (var node = (_leaves + source) >> 1; node > 0; node >>= 1)
        {
            var (left, right) = (_winner[2 * node], _winner[(2 * node) + 1]);
            _winner[node] = _times[right] < _times[left] ? right : left;
        }
    }
}
