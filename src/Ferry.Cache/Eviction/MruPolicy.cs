namespace Ferry.Cache.Eviction;

/// <summary>Most recently used goes first: for scans longer than the cache, where the oldest is what comes next.</summary>
internal sealed class MruPolicy(IEvictionNodes nodes) : IEvictionPolicy
{
    private EvictionList _nodes;

    public int Count => _nodes.Count;

    public void Added(int node) => _nodes.AddNewest(nodes, node);

    public void Touched(int node, bool isUse) => _nodes.MoveToNewest(nodes, node);

    public void Removed(int node, bool isEvicted) => _nodes.Remove(nodes, node);

    public void Parked(int node) => _nodes.Remove(nodes, node);

    public void Resumed(int node) => _nodes.AddNewest(nodes, node);

    public int Victim() => _nodes.Newest;
}
