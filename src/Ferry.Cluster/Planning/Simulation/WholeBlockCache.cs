namespace Ferry.Cluster.Planning.Simulation;

/// <summary>A cache with room for every block there is: nothing ever goes, so there is no order to keep.</summary>
internal sealed class WholeBlockCache(int differentBlocks) : BlockCache(differentBlocks)
{
    private readonly bool[] _isThere = new bool[differentBlocks];
    private int _count;

    public override int Count => _count;

    public override bool Contains(int block) => _isThere[block];

    public override void Use(int block)
    {
    }

    protected override int Evict() => throw new System.Diagnostics.UnreachableException("A cache of all blocks is never full when a block is missing.");

    protected override void Enter(int block)
    {
        _isThere[block] = true;
        _count++;
    }
}
