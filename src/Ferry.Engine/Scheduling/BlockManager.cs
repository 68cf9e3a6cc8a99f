using System.Diagnostics;
using Ferry.Kv.Hashing;

namespace Ferry.Engine.Scheduling;

/// <summary>Who holds which block of the pool, and which blocks hold KV that a later prompt may share. A data structure without tensors.</summary>
/// <remarks>
/// A block is held (references ≥ 1) or free. A free block keeps its KV, and its place in the cache, until it is allocated anew:
/// free blocks form one list, blocks without cached KV first, then the least recently used. Not thread-safe.
/// </remarks>
internal sealed class BlockManager
{
    private const int None = -1;

    private readonly int _blockTokens;
    private readonly int[] _references;
    private readonly ChunkHash[] _hash;
    private readonly bool[] _cached;
    private readonly int[] _tokens; // [block, token]: what a cached block was computed from
    private readonly Dictionary<ChunkHash, int> _byHash = [];
    // Doubly linked list of free blocks; the last element is the list's head and tail marker.
    private readonly int[] _next;
    private readonly int[] _previous;

    public BlockManager(int blockCount, int blockTokens)
    {
        BlockCount = blockCount;
        _blockTokens = blockTokens;
        _references = new int[blockCount];
        _hash = new ChunkHash[blockCount];
        _cached = new bool[blockCount];
        _tokens = new int[(long)blockCount * blockTokens];
        _next = new int[blockCount + 1];
        _previous = new int[blockCount + 1];
        (_next[blockCount], _previous[blockCount]) = (blockCount, blockCount);
        for (var block = 0; block < blockCount; block++) { LinkBefore(Marker, block); }
    }

    public int BlockCount { get; }

    /// <summary>Blocks that <see cref="Allocate"/> can give, cached ones included.</summary>
    public int FreeCount { get; private set; }

    /// <summary>Blocks whose KV a prompt may find.</summary>
    public int CachedCount => _byHash.Count;

    private int Marker => BlockCount;

    public int References(int block) => _references[block];

    /// <summary>Takes a free block with one reference; what it cached is forgotten.</summary>
    /// <exception cref="UnreachableException">None is free: the caller must look at <see cref="FreeCount"/> first.</exception>
    public int Allocate()
    {
        if (FreeCount == 0) { throw new UnreachableException("No block is free."); }
        var block = _next[Marker];
        Unlink(block);
        if (_cached[block])
        {
            _byHash.Remove(_hash[block]);
            _cached[block] = false;
        }
        _references[block] = 1;
        return block;
    }

    /// <summary>Takes one more reference to a block that <see cref="TryFind"/> gave.</summary>
    public void Share(int block)
    {
        if (_references[block]++ == 0) { Unlink(block); }
    }

    /// <summary>Gives back one reference. A sequence gives its blocks back last one first, so that the end of a prompt is forgotten before its beginning.</summary>
    public void Release(int block)
    {
        Debug.Assert(_references[block] > 0, "Released a block that nobody holds.");
        if (--_references[block] > 0) { return; }
        if (_cached[block]) { LinkBefore(Marker, block); }
        else { LinkBefore(_next[Marker], block); }
    }

    /// <summary>Makes a held, fully computed block findable. Does nothing when another block has that hash already.</summary>
    public void Register(int block, in ChunkHash hash, ReadOnlySpan<int> tokens)
    {
        Debug.Assert(_references[block] > 0 && tokens.Length == _blockTokens, "Only full blocks that somebody holds are registered.");
        if (_cached[block] || !_byHash.TryAdd(hash, block)) { return; }
        _cached[block] = true;
        _hash[block] = hash;
        tokens.CopyTo(TokensOf(block));
    }

    /// <summary>The block that holds the KV of <paramref name="tokens"/> behind the prefix that the hash covers, or null.</summary>
    public int? TryFind(in ChunkHash hash, ReadOnlySpan<int> tokens) =>
        _byHash.TryGetValue(hash, out var block) && TokensOf(block).SequenceEqual(tokens) ? block : null;

    /// <summary>Whether the block counts in <see cref="FreeCount"/>, so that sharing it uses it up.</summary>
    public bool IsFree(int block) => _references[block] == 0;

    /// <summary>Checks everything that must hold between calls.</summary>
    /// <param name="holders">Block tables of all sequences that hold blocks.</param>
    /// <exception cref="UnreachableException">Something does not hold.</exception>
    public void CheckIntegrity(IEnumerable<ReadOnlyMemory<int>> holders)
    {
        var expected = new int[BlockCount];
        foreach (var table in holders)
        {
            foreach (var block in table.Span) { expected[block]++; }
        }
        var free = 0;
        for (var block = _next[Marker]; block != Marker; block = _next[block])
        {
            Hold(_references[block] == 0, $"block {block} is free but has {_references[block]} references");
            Hold(_next[_previous[block]] == block && _previous[_next[block]] == block, $"block {block} is badly linked");
            Hold(++free <= BlockCount, "the free list is a circle");
        }
        Hold(free == FreeCount, $"{free} blocks are in the free list, {FreeCount} are counted");
        for (var block = 0; block < BlockCount; block++)
        {
            Hold(_references[block] == expected[block], $"block {block} has {_references[block]} references, {expected[block]} holders");
            Hold(_references[block] == 0 || _next[block] == None, $"block {block} is held and in the free list");
            Hold(!_cached[block] || (_byHash.TryGetValue(_hash[block], out var found) && found == block), $"block {block} is cached but not findable");
        }
        Hold(_cached.Count(c => c) == _byHash.Count, "the index has entries without a block");
        Hold(free + _references.Count(r => r > 0) == BlockCount, "a block is neither free nor held");
    }

    private static void Hold(bool condition, string otherwise)
    {
        if (!condition) { throw new UnreachableException($"Block manager: {otherwise}."); }
    }

    private Span<int> TokensOf(int block) => _tokens.AsSpan(block * _blockTokens, _blockTokens);

    private void LinkBefore(int at, int block)
    {
        (_previous[block], _next[block]) = (_previous[at], at);
        _next[_previous[at]] = block;
        _previous[at] = block;
        FreeCount++;
    }

    private void Unlink(int block)
    {
        _next[_previous[block]] = _next[block];
        _previous[_next[block]] = _previous[block];
        (_next[block], _previous[block]) = (None, None);
        FreeCount--;
    }
}
