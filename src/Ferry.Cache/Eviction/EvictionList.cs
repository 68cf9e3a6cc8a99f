namespace Ferry.Cache.Eviction;

/// <summary>A list of nodes from the oldest to the newest, linked through the nodes themselves.</summary>
internal struct EvictionList
{
    private int _oldest; // One more than the node, so that the default is empty.
    private int _newest;

    public int Count { get; private set; }

    public readonly int Oldest => _oldest - 1;

    public readonly int Newest => _newest - 1;

    public void AddNewest(IEvictionNodes nodes, int node)
    {
        ref var link = ref nodes.LinkOf(node);
        (link.Previous, link.Next) = (Newest, IEvictionPolicy.None);
        if (_newest == 0)
        {
            _oldest = node + 1;
        }
        else
        {
            nodes.LinkOf(Newest).Next = node;
        }
        _newest = node + 1;
        Count++;
    }

    public void Remove(IEvictionNodes nodes, int node)
    {
        ref var link = ref nodes.LinkOf(node);
        if (link.Previous == IEvictionPolicy.None)
        {
            _oldest = link.Next + 1;
        }
        else
        {
            nodes.LinkOf(link.Previous).Next = link.Next;
        }
        if (link.Next == IEvictionPolicy.None)
        {
            _newest = link.Previous + 1;
        }
        else
        {
            nodes.LinkOf(link.Next).Previous = link.Previous;
        }
        Count--;
    }

    public void MoveToNewest(IEvictionNodes nodes, int node)
    {
        if (node == Newest)
        {
            return;
        }
        ref var link = ref nodes.LinkOf(node);
        if (link.Previous == IEvictionPolicy.None)
        {
            _oldest = link.Next + 1;
        }
        else
        {
            nodes.LinkOf(link.Previous).Next = link.Next;
        }
        nodes.LinkOf(link.Next).Previous = link.Previous; // There is one: this is not the newest.
        nodes.LinkOf(Newest).Next = node;
        (link.Previous, link.Next) = (Newest, IEvictionPolicy.None);
        _newest = node + 1;
    }
}
