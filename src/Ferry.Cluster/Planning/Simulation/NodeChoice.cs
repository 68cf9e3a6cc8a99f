using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>The router of a simulation: which node computes a prompt, which one decodes it.</summary>
internal sealed class NodeChoice
{
    private readonly RouterPolicy _policy;
    private readonly SimulatedNode[] _prefill;
    private readonly SimulatedNode[] _decode;
    private readonly SimulatedNode[] _all;
    private readonly BlockHolders _holders;
    private readonly int[] _depth;
    private readonly SeededRandom _random;
    private int _nextPrefill;
    private int _nextDecode;

    public NodeChoice(RouterPolicy policy, SimulatedNode[] nodes, BlockHolders holders, int seed)
    {
        _policy = policy;
        _all = nodes;
        _prefill = [.. nodes.Where(node => node.Role != PoolRole.Decode)];
        _decode = [.. nodes.Where(node => node.Role != PoolRole.Prefill)];
        (_holders, _depth, _random) = (holders, new int[nodes.Length], new SeededRandom((ulong)seed));
    }

    /// <summary>For the prompt's computation.</summary>
    /// <param name="isShort">Too short for a hand-over: a node that also decodes computes it.</param>
    public SimulatedNode Prefill(ReadOnlySpan<int> blocks, int inputTokens, bool isShort)
    {
        var nodes = isShort ? _decode : _prefill;
        switch (_policy)
        {
            case RouterPolicy.RoundRobin:
                return nodes[_nextPrefill++ % nodes.Length];
            case RouterPolicy.PowerOfTwo:
                var (one, other) = (nodes[_random.NextIndex(nodes.Length)], nodes[_random.NextIndex(nodes.Length)]);
                return other.PendingTokens < one.PendingTokens ? other : one;
            case RouterPolicy.SessionAffinity:
                // Conversations differ from their second block on; the first is often a system prompt that all share.
                return nodes[(int)((uint)(blocks.Length > 1 ? blocks[1] : blocks.Length > 0 ? blocks[0] : 0) % (uint)nodes.Length)];
            case RouterPolicy.LeastLoaded:
                return Least(nodes, static node => node.PendingTokens);
            default:
                return Nearest(nodes, blocks, inputTokens, inSeconds: _policy == RouterPolicy.CostBased);
        }
    }

    /// <summary>For the tokens: where fewest are running and promised.</summary>
    public SimulatedNode Decode() => _policy == RouterPolicy.RoundRobin
        ? _decode[_nextDecode++ % _decode.Length]
        : Least(_decode, static node => node.KvTokensPromised);

    /// <summary>Where least is left to do: tokens ahead in the queue and tokens of this prompt that are not cached, or the seconds that they take.</summary>
    private SimulatedNode Nearest(SimulatedNode[] nodes, ReadOnlySpan<int> blocks, int inputTokens, bool inSeconds)
    {
        FindDepths(blocks);
        var best = nodes[0];
        var least = double.PositiveInfinity;
        foreach (var node in nodes)
        {
            var cached = Math.Min((long)_depth[node.Index] * Trace.BlockTokens, inputTokens - 1);
            var left = inSeconds
                ? node.Model.PrefillSeconds(inputTokens, cached) + (node.PendingTokens > 0 ? node.Model.PrefillSeconds(node.PendingTokens) : 0)
                : node.PendingTokens + inputTokens - cached;
            if (left < least)
            {
                (best, least) = (node, left);
            }
        }
        return best;
    }

    /// <summary>How many leading blocks each node has: the nodes that have all so far are a set, which only loses members.</summary>
    private void FindDepths(ReadOnlySpan<int> blocks)
    {
        Array.Clear(_depth);
        var alive = _all.Length == 128 ? UInt128.MaxValue : (UInt128.One << _all.Length) - UInt128.One;
        for (var depth = 0; depth < blocks.Length && alive != UInt128.Zero; depth++)
        {
            var next = alive & _holders.Of(blocks[depth]);
            SetDepth(alive & ~next, depth);
            alive = next;
        }
        SetDepth(alive, blocks.Length);
    }

    private void SetDepth(UInt128 nodes, int depth)
    {
        while (depth > 0 && nodes != UInt128.Zero)
        {
            var node = (int)UInt128.TrailingZeroCount(nodes);
            _depth[node] = depth;
            nodes &= nodes - UInt128.One;
        }
    }

    private static SimulatedNode Least(SimulatedNode[] nodes, Func<SimulatedNode, long> load)
    {
        var best = nodes[0];
        foreach (var node in nodes)
        {
            if (load(node) < load(best))
            {
                best = node;
            }
        }
        return best;
    }
}
