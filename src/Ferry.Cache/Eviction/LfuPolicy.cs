using System.Numerics;

namespace Ferry.Cache.Eviction;

/// <summary>Least often used goes first; of equals the one that has been so for longest.</summary>
/// <remarks>
/// One list for each count of uses, and two levels of bits that find the lowest list with somebody in it: every call is O(1). Counts end at
/// <see cref="UsesMax"/>; what is used that often is not what makes room. A chunk's count dies with it, as in LMCache.
/// </remarks>
internal sealed class LfuPolicy(IEvictionNodes nodes) : IEvictionPolicy
{
    public const int UsesMax = 4095;

    private readonly EvictionList[] _byUses = new EvictionList[UsesMax + 1];
    private readonly ulong[] _occupied = new ulong[64]; // Bit u: list 64 * word + u holds somebody.
    private ulong _occupiedWords;

    public int Count { get; private set; }

    public void Added(int node)
    {
        nodes.LinkOf(node).Data = 1;
        Enter(node);
    }

    public void Touched(int node, bool isUse)
    {
        if (!isUse)
        {
            return;
        }
        Leave(node);
        ref var link = ref nodes.LinkOf(node);
        link.Data = Math.Min(link.Data + 1, UsesMax);
        Enter(node);
    }

    public void Removed(int node, bool isEvicted) => Leave(node);

    public void Parked(int node) => Leave(node);

    public void Resumed(int node) => Enter(node);

    public int Victim()
    {
        if (_occupiedWords == 0)
        {
            return IEvictionPolicy.None;
        }
        var word = BitOperations.TrailingZeroCount(_occupiedWords);
        return _byUses[(word * 64) + BitOperations.TrailingZeroCount(_occupied[word])].Oldest;
    }

    private void Enter(int node)
    {
        var uses = nodes.LinkOf(node).Data;
        _byUses[uses].AddNewest(nodes, node);
        _occupied[uses / 64] |= 1UL << (uses % 64);
        _occupiedWords |= 1UL << (uses / 64);
        Count++;
    }

    private void Leave(int node)
    {
        var uses = nodes.LinkOf(node).Data;
        _byUses[uses].Remove(nodes, node);
        if (_byUses[uses].Count == 0)
        {
            _occupied[uses / 64] &= ~(1UL << (uses % 64));
            _occupiedWords = _occupied[uses / 64] == 0 ? _occupiedWords & ~(1UL << (uses / 64)) : _occupiedWords;
        }
        Count--;
    }
}
