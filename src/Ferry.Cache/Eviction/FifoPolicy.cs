namespace Ferry.Cache.Eviction;

/// <summary>First in, first out: use changes nothing.</summary>
internal sealed class FifoPolicy(IEvictionNodes nodes) : IEvictionPolicy
{
    private EvictionList _nodes;

    public int Count => _nodes.Count;

    public void Added(int node) => _nodes.AddNewest(nodes, node);

    public void Touched(int node, bool isUse)
    {
        // The order is that of arrival.
    }

    public void Removed(int node, bool isEvicted) => _nodes.Remove(nodes, node);

    public void Parked(int node) => _nodes.Remove(nodes, node);

    public void Resumed(int node) => _nodes.AddNewest(nodes, node); // Its turn came while it was read; it gets another round.

    public int Victim() => _nodes.Oldest;
}
