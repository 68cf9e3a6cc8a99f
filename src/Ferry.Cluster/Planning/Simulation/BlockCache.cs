using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>A cache of block numbers. A policy is one of its classes; what each does: docs/measurements/cache-policies.md.</summary>
internal abstract class BlockCache(int capacity)
{
    public int Capacity { get; } = capacity;

    public abstract int Count { get; }

    /// <param name="capacityBlocks">0 keeps nothing.</param>
    /// <param name="differentBlocks">More than these never come, so more room is never used.</param>
    public static BlockCache Create(CachePolicy policy, long capacityBlocks, int differentBlocks)
    {
        var capacity = (int)Math.Clamp(capacityBlocks, 0, differentBlocks);
        if (capacity == differentBlocks)
        {
            return new WholeBlockCache(differentBlocks);
        }
        return policy switch
        {
            CachePolicy.Lfu => new FrequencyBlockCache(capacity),
            CachePolicy.S3Fifo => new ThreeQueueBlockCache(capacity),
            _ => new AgeBlockCache(capacity, ordersByUse: policy != CachePolicy.Fifo, newestGoes: policy == CachePolicy.Mru),
        };
    }

    public abstract bool Contains(int block);

    /// <summary>Marks a block that is there as used.</summary>
    public abstract void Use(int block);

    /// <summary>Adds a block that is not there.</summary>
    /// <returns>The block that went for it, which is the new one where nothing is kept; -1: none.</returns>
    public int Add(int block)
    {
        if (Capacity == 0)
        {
            return block;
        }
        var victim = Count == Capacity ? Evict() : -1;
        Enter(block);
        return victim;
    }

    /// <summary>A request's prefix, by the rules of the exchange: what it finds is used, end first, then what it lacks is added in order.</summary>
    /// <returns>Blocks found before the first that is missing.</returns>
    public int Request(ReadOnlySpan<int> blocks)
    {
        var found = Found(blocks);
        for (var index = found - 1; index >= 0; index--)
        {
            Use(blocks[index]);
        }
        foreach (var block in blocks[found..])
        {
            if (!Contains(block))
            {
                Add(block);
            }
        }
        return found;
    }

    /// <summary>Leading blocks that are there.</summary>
    public int Found(ReadOnlySpan<int> blocks)
    {
        var found = 0;
        while (found < blocks.Length && Contains(blocks[found]))
        {
            found++;
        }
        return found;
    }

    /// <summary>Takes out the block that goes first.</summary>
    protected abstract int Evict();

    protected abstract void Enter(int block);
}
