namespace Ferry.Cache.Eviction;

/// <summary>Least recently used goes first.</summary>
internal sealed class LruPolicy(IEvictionNodes nodes) : IEvictionPolicy
{
    private EvictionList _nodes;

    public int Count => _nodes.Count;

    public void Added(int node) => _nodes.AddNewest(nodes, node);

    public void Touched(int node, bool isUse) => _nodes.MoveToNewest(nodes, node);

    public void Removed(int node, bool isEvicted) => _nodes.Remove(nodes, node);

    public void Parked(int node) => _nodes.Remove(nodes, node);

    public void Resumed(int node) => _nodes.AddNewest(nodes, node); // It was being read until now.

    public int Victim() => _nodes.Oldest;
}
