namespace Ferry.Cluster.Planning.Simulation;

/// <summary>S3-FIFO: a small queue from which only what was used twice goes on into the main one, and a memory of what went from it.</summary>
/// <remarks>Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023.</remarks>
internal sealed class ThreeQueueBlockCache(int capacity) : BlockCache(capacity)
{
    private const int MaximumUses = 3;

    private readonly Dictionary<int, int> _uses = new(capacity);
    private readonly Queue<int> _small = new();
    private readonly Queue<int> _main = new();
    private readonly BlockRing _ghosts = new(capacity + 1);

    public override int Count => _uses.Count;

    public override bool Contains(int block) => _uses.ContainsKey(block);

    public override void Use(int block) => _uses[block] = Math.Min(_uses[block] + 1, MaximumUses);

    protected override void Enter(int block)
    {
        (_ghosts.Remove(block) ? _main : _small).Enqueue(block);
        _uses.Add(block, 0);
    }

    protected override int Evict()
    {
        while (true)
        {
            // The small queue's share is a tenth.
            var isSmall = _small.Count > 0 && (_main.Count == 0 || _small.Count * 10L >= _small.Count + _main.Count);
            var block = (isSmall ? _small : _main).Dequeue();
            if (_uses[block] <= (isSmall ? 1 : 0))
            {
                _uses.Remove(block);
                if (isSmall)
                {
                    Remember(block);
                }
                return block;
            }
            _uses[block] = isSmall ? 0 : _uses[block] - 1;
            _main.Enqueue(block);
        }
    }

    private void Remember(int block)
    {
        _ghosts.Add(block);
        while (_ghosts.Count > _main.Count)
        {
            _ghosts.RemoveOldest();
        }
    }
}
