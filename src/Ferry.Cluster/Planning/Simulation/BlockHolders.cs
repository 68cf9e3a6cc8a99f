namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Which nodes have which block in which of their own tiers: a bit for each node, so that no look-up searches.</summary>
internal sealed class BlockHolders(int differentBlocks)
{
    /// <summary>Device, memory, disk: <see cref="SimulationTier"/>.</summary>
    public const int Tiers = 3;

    private readonly UInt128[] _nodes = new UInt128[Math.Max(1, differentBlocks) * Tiers];

    public int DifferentBlocks { get; } = differentBlocks;

    /// <summary>Nodes that have the block in any tier.</summary>
    public UInt128 Of(int block) => _nodes[block * Tiers] | _nodes[(block * Tiers) + 1] | _nodes[(block * Tiers) + 2];

    public bool Has(int block, int tier, in UInt128 node) => (_nodes[(block * Tiers) + tier] & node) != UInt128.Zero;

    public void Set(int block, int tier, in UInt128 node) => _nodes[(block * Tiers) + tier] |= node;

    public void Clear(int block, int tier, in UInt128 node) => _nodes[(block * Tiers) + tier] &= ~node;
}
