namespace Ferry.Cluster.Planning.Simulation;

/// <summary>LFU: the least often used goes, of several the one that has been so for longest.</summary>
internal sealed class FrequencyBlockCache(int capacity) : BlockCache(capacity)
{
    /// <summary>Counts stop here, as in the exchange.</summary>
    private const int MaximumUses = 4095;

    private readonly Dictionary<int, (int Uses, LinkedListNode<int> Node)> _blocks = new(capacity);
    private readonly LinkedList<int>?[] _byUses = new LinkedList<int>?[MaximumUses + 1];
    private int _least = 1;

    public override int Count => _blocks.Count;

    public override bool Contains(int block) => _blocks.ContainsKey(block);

    public override void Use(int block)
    {
        var (uses, node) = _blocks[block];
        _byUses[uses]!.Remove(node);
        Enter(node, Math.Min(uses + 1, MaximumUses));
    }

    protected override int Evict()
    {
        while (_byUses[_least] is null or { Count: 0 })
        {
            _least++;
        }
        var victim = _byUses[_least]!.First!;
        _byUses[_least]!.Remove(victim);
        _blocks.Remove(victim.Value);
        return victim.Value;
    }

    protected override void Enter(int block)
    {
        _least = 1;
        Enter(new LinkedListNode<int>(block), 1);
    }

    private void Enter(LinkedListNode<int> node, int uses)
    {
        (_byUses[uses] ??= new()).AddLast(node);
        _blocks[node.Value] = (uses, node);
    }
}
