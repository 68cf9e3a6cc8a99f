namespace Ferry.Cache.Eviction;

/// <summary>Least recently used goes first.</summary>
internal sealed class LruPolicy : IEvictionPolicy
{
    private EvictionNode? _oldest;
    private EvictionNode? _newest;

    public int Count { get; private set; }

    public void Added(EvictionNode node)
    {
        node.Previous = _newest;
        node.Next = null;
        if (_newest is null)
        {
            _oldest = node;
        }
        else
        {
            _newest.Next = node;
        }
        _newest = node;
        Count++;
    }

    public void Touched(EvictionNode node)
    {
        if (!ReferenceEquals(node, _newest))
        {
            Removed(node);
            Added(node);
        }
    }

    public void Removed(EvictionNode node)
    {
        if (node.Previous is null)
        {
            _oldest = node.Next;
        }
        else
        {
            node.Previous.Next = node.Next;
        }
        if (node.Next is null)
        {
            _newest = node.Previous;
        }
        else
        {
            node.Next.Previous = node.Previous;
        }
        (node.Previous, node.Next) = (null, null);
        Count--;
    }

    public EvictionNode? Victim() => _oldest;
}
