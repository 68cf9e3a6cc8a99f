namespace Ferry.Cluster.Planning.Simulation;

/// <summary>Block numbers in an order from oldest to newest, each at most once. All operations O(1), nothing allocated after construction.</summary>
/// <remarks>
/// A table of chains of entries, and a ring of entries in order. Entry 0 is the ring's anchor and ends every chain. Blocks of one prompt have consecutive numbers:
/// eight neighbours have neighbouring chains, so that a prompt touches few cache lines.
/// </remarks>
internal sealed class BlockRing
{
    private const int NeighbourBits = 3;

    private readonly int[] _chains;
    private readonly int _mask;
    private readonly Entry[] _entries;
    private int _free;
    private int _untouched = 1;

    /// <param name="capacity">Most blocks at one time.</param>
    public BlockRing(int capacity)
    {
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity));
        (_chains, _mask, _entries) = (new int[size], size - 1, new Entry[capacity + 1]);
        _entries[0].Block = -1;
    }

    public int Count { get; private set; }

    public bool Contains(int block) => Find(block) != 0;

    /// <summary>Adds a block that is not there, as the newest.</summary>
    public void Add(int block)
    {
        var index = _free;
        if (index != 0)
        {
            _free = _entries[index].Newer;
        }
        else
        {
            index = _untouched++;
        }
        ref var chain = ref _chains[Home(block)];
        ref var entry = ref _entries[index];
        (entry.Block, entry.Next, chain) = (block, chain, index);
        LinkNewest(index);
        Count++;
    }

    /// <summary>Makes a block that is there the newest.</summary>
    public void Renew(int block)
    {
        var index = Find(block);
        Unlink(index);
        LinkNewest(index);
    }

    /// <returns>Whether it was there.</returns>
    public bool Remove(int block)
    {
        var index = Find(block);
        if (index != 0)
        {
            RemoveEntry(index);
        }
        return index != 0;
    }

    /// <summary>Takes the oldest out; there must be one.</summary>
    public int RemoveOldest() => RemoveEntry(_entries[0].Newer);

    /// <summary>Takes the newest out; there must be one.</summary>
    public int RemoveNewest() => RemoveEntry(_entries[0].Older);

    private int RemoveEntry(int index)
    {
        var block = _entries[index].Block;
        ref var link = ref _chains[Home(block)];
        while (link != index)
        {
            link = ref _entries[link].Next;
        }
        link = _entries[index].Next;
        Unlink(index);
        (_entries[index].Newer, _free) = (_free, index);
        Count--;
        return block;
    }

    /// <summary>The block's entry; 0: none.</summary>
    private int Find(int block)
    {
        var index = _chains[Home(block)];
        while (index != 0 && _entries[index].Block != block)
        {
            index = _entries[index].Next;
        }
        return index;
    }

    /// <summary>Fibonacci hashing of what neighbours have in common.</summary>
    private int Home(int block)
    {
        var group = (uint)block >> NeighbourBits;
        return ((int)((group * 2654435769u) >> 8) << NeighbourBits | (block & ((1 << NeighbourBits) - 1))) & _mask;
    }

    private void Unlink(int index)
    {
        ref var entry = ref _entries[index];
        _entries[entry.Older].Newer = entry.Newer;
        _entries[entry.Newer].Older = entry.Older;
    }

    private void LinkNewest(int index)
    {
        ref var anchor = ref _entries[0];
        ref var entry = ref _entries[index];
        (entry.Older, entry.Newer) = (anchor.Older, 0);
        _entries[anchor.Older].Newer = index;
        anchor.Older = index;
    }

    /// <summary>A block, the next of its chain, its neighbours in the ring; of a free one <see cref="Newer"/> is the next free.</summary>
    private struct Entry
    {
        public int Block;
        public int Next;
        public int Older;
        public int Newer;
    }
}
