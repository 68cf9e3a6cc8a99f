namespace Ferry.Cache.Eviction;

/// <summary>Three queues: what is new proves itself in a small one before it may displace what is in the main one.</summary>
/// <remarks>
/// S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023), in these rules:
/// 1. A new chunk enters the small queue with no uses, or the main queue if the ghost queue remembers it. Uses count to three.
/// 2. While the small queue has a tenth of the bytes, the victim is its oldest: one used more than once moves to the main queue instead, its count reset.
/// 3. Otherwise the victim is the oldest of the main queue: one that was used goes round once more for one use less.
/// 4. What is evicted from the small queue enters the ghost queue, which remembers as many as the main queue holds and no bytes.
/// Amortized O(1): every move that evicts nothing uses up a use.
/// </remarks>
internal sealed class S3FifoPolicy(IEvictionNodes nodes) : IEvictionPolicy
{
    private const int UsesMax = 3;
    private const int UsesMask = 3;
    private const int InMain = 4; // Flag beside the uses.
    private const int SmallShare = 10; // A tenth, as in the paper's evaluation.

    private readonly GhostQueue _ghosts = new();
    private EvictionList _small;
    private EvictionList _main;
    private long _smallBytes;
    private long _mainBytes;

    public int Count => _small.Count + _main.Count;

    public void Added(int node)
    {
        nodes.LinkOf(node).Data = _ghosts.TryTake(nodes.FingerprintOf(node)) ? InMain : 0;
        Enter(node);
    }

    public void Touched(int node, bool isUse)
    {
        ref var link = ref nodes.LinkOf(node);
        if (isUse && (link.Data & UsesMask) < UsesMax)
        {
            link.Data++;
        }
    }

    public void Removed(int node, bool isEvicted)
    {
        if (isEvicted && (nodes.LinkOf(node).Data & InMain) == 0)
        {
            _ghosts.Add(nodes.FingerprintOf(node), _main.Count);
        }
        Leave(node);
    }

    public void Parked(int node) => Leave(node);

    public void Resumed(int node) => Enter(node);

    public int Victim()
    {
        while (Count > 0)
        {
            var fromSmall = _small.Count > 0 && (_main.Count == 0 || _smallBytes * SmallShare >= _smallBytes + _mainBytes);
            var node = fromSmall ? _small.Oldest : _main.Oldest;
            var uses = nodes.LinkOf(node).Data & UsesMask;
            if (fromSmall ? uses <= 1 : uses == 0)
            {
                return node;
            }
            Leave(node);
            nodes.LinkOf(node).Data = fromSmall ? InMain : InMain | (uses - 1);
            Enter(node);
        }
        return IEvictionPolicy.None;
    }

    private void Enter(int node)
    {
        if ((nodes.LinkOf(node).Data & InMain) != 0)
        {
            _main.AddNewest(nodes, node);
            _mainBytes += nodes.BytesOf(node);
        }
        else
        {
            _small.AddNewest(nodes, node);
            _smallBytes += nodes.BytesOf(node);
        }
    }

    private void Leave(int node)
    {
        if ((nodes.LinkOf(node).Data & InMain) != 0)
        {
            _main.Remove(nodes, node);
            _mainBytes -= nodes.BytesOf(node);
        }
        else
        {
            _small.Remove(nodes, node);
            _smallBytes -= nodes.BytesOf(node);
        }
    }
}
