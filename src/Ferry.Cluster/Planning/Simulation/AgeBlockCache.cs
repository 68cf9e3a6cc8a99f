namespace Ferry.Cluster.Planning.Simulation;

/// <summary>LRU, FIFO or MRU: one order.</summary>
/// <param name="capacity">Blocks.</param>
/// <param name="ordersByUse">False: by the time of coming alone (FIFO).</param>
/// <param name="newestGoes">MRU.</param>
internal sealed class AgeBlockCache(int capacity, bool ordersByUse, bool newestGoes) : BlockCache(capacity)
{
    private readonly BlockRing _blocks = new(capacity);

    public override int Count => _blocks.Count;

    public override bool Contains(int block) => _blocks.Contains(block);

    public override void Use(int block)
    {
        if (ordersByUse)
        {
            _blocks.Renew(block);
        }
    }

    protected override int Evict() => newestGoes ? _blocks.RemoveNewest() : _blocks.RemoveOldest();

    protected override void Enter(int block) => _blocks.Add(block);
}
