using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>The tiers of one node. What they hold stands in <see cref="BlockHolders"/>; here is what goes next.</summary>
internal sealed class NodeCaches
{
    private readonly BlockCache[] _tiers;
    private readonly BlockHolders _holders;
    private readonly UInt128 _node;

    /// <param name="computesPrompts">False: only hand-overs come here, which look at its memory alone, so that its disk is not followed.</param>
    public NodeCaches(int node, NodeModel model, CacheSpec cache, bool computesPrompts, long blockBytes, BlockHolders holders)
    {
        // A node that only decodes fills its device with running sequences; an engine may have its prefix cache switched off.
        var hasPrefixCache = model.Pool.Role != PoolRole.Decode && model.Pool.Engine.PrefixCaching != false;
        _tiers =
        [
            BlockCache.Create(CachePolicy.Lru, hasPrefixCache ? model.KvTokens / Trace.BlockTokens : 0, holders.DifferentBlocks),
            BlockCache.Create(cache.Policy, cache.MemoryBytes / blockBytes, holders.DifferentBlocks),
            BlockCache.Create(cache.Policy, computesPrompts ? cache.DiskBytes / blockBytes : 0, holders.DifferentBlocks),
        ];
        (_holders, _node) = (holders, UInt128.One << node);
    }

    /// <summary>The tier that would give a block, fastest first; <see cref="SimulationTier.Computed"/>: none.</summary>
    public SimulationTier Find(int block, BlockCache? shared)
    {
        for (var tier = 0; tier < BlockHolders.Tiers; tier++)
        {
            if (_holders.Has(block, tier, _node))
            {
                return (SimulationTier)tier;
            }
        }
        return shared is not null && shared.Contains(block) ? SimulationTier.Shared : SimulationTier.Computed;
    }

    /// <summary>Leading blocks that the memory tier has.</summary>
    public int FoundInMemory(ReadOnlySpan<int> blocks) => Found(blocks, (int)SimulationTier.Memory);

    /// <summary>Puts a prompt into every tier: what a tier has of it is used, end first, the rest is added in order.</summary>
    public void Keep(ReadOnlySpan<int> blocks)
    {
        for (var tier = 0; tier < BlockHolders.Tiers; tier++)
        {
            var cache = _tiers[tier];
            if (cache.Capacity == 0)
            {
                continue;
            }
            var found = Found(blocks, tier);
            for (var index = found - 1; index >= 0; index--)
            {
                cache.Use(blocks[index]);
            }
            foreach (var block in blocks[found..])
            {
                if (!_holders.Has(block, tier, _node))
                {
                    var victim = cache.Add(block);
                    _holders.Set(block, tier, _node);
                    if (victim >= 0)
                    {
                        _holders.Clear(victim, tier, _node);
                    }
                }
            }
        }
    }

    private int Found(ReadOnlySpan<int> blocks, int tier)
    {
        var found = 0;
        while (found < blocks.Length && _holders.Has(blocks[found], tier, _node))
        {
            found++;
        }
        return found;
    }
}
