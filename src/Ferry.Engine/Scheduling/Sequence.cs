using Ferry.Kv.Hashing;

namespace Ferry.Engine.Scheduling;

/// <summary>Tokens of one choice of a request, and where their KV lies. Written by the engine's thread only.</summary>
internal sealed class Sequence
{
    private readonly int _blockTokens;
    private readonly List<ChunkHash> _blockHashes = [];
    private readonly ChunkHash _rootHash;
    private int[] _tokens;
    private int[] _blocks = new int[8];

    /// <param name="prompt">At least one token.</param>
    /// <param name="cacheNameSpace">Sequences share cached blocks only within one name space.</param>
    /// <param name="leader">The first choice of the same prompt, whose blocks this one waits for and shares; null for the first itself.</param>
    public Sequence(string requestId, int choice, ReadOnlySpan<int> prompt, string cacheNameSpace, int blockTokens, Sequence? leader = null)
    {
        RequestId = requestId;
        Choice = choice;
        PromptCount = prompt.Length;
        Count = prompt.Length;
        Leader = leader;
        _tokens = new int[prompt.Length + 16];
        prompt.CopyTo(_tokens);
        _blockTokens = blockTokens;
        _rootHash = BlockHash.Root(cacheNameSpace);
    }

    public string RequestId { get; }

    /// <summary>0-based choice of the request.</summary>
    public int Choice { get; }

    public Sequence? Leader { get; }

    public int PromptCount { get; }

    /// <summary>Tokens known: prompt and output so far.</summary>
    public int Count { get; private set; }

    public SequenceState State { get; set; } = SequenceState.Waiting;

    /// <summary>Leading tokens whose K and V are in this sequence's blocks.</summary>
    public int ComputedTokens { get; set; }

    /// <summary>Leading blocks whose hash was offered to the cache since the sequence was admitted.</summary>
    public int RegisteredBlocks { get; set; }

    /// <summary>Set once the KV of the whole prompt was in the pool, even if pre-emption took it away again.</summary>
    public bool PromptDone { get; set; }

    /// <summary>Whether it took part in a step before (a pre-empted sequence did).</summary>
    public bool WasScheduled { get; set; }

    /// <summary>Whether the connector was asked for this prompt, or need not be.</summary>
    public bool LoadDecided { get; set; } = true;

    /// <summary>[first, end) tokens of the prompt that lie ready outside the pool, or null.</summary>
    public (int First, int End)? LoadedTokens { get; set; }

    /// <summary>Logits of every prompt token are wanted, so the prompt goes token by token and takes nothing from the cache.</summary>
    public bool WantsPromptLogits { get; init; }

    /// <summary>All tokens known, position order.</summary>
    public ReadOnlyMemory<int> Tokens => _tokens.AsMemory(0, Count);

    public int BlockCount { get; private set; }

    /// <summary>Pool blocks in position order.</summary>
    public ReadOnlyMemory<int> BlockTable => _blocks.AsMemory(0, BlockCount);

    /// <summary>Tokens that a step would have to compute to give the next logits.</summary>
    public int PendingTokens => Count - ComputedTokens;

    public void AppendToken(int token)
    {
        if (Count == _tokens.Length) { Array.Resize(ref _tokens, _tokens.Length * 2); }
        _tokens[Count++] = token;
    }

    public void AppendBlock(int block)
    {
        if (BlockCount == _blocks.Length) { Array.Resize(ref _blocks, _blocks.Length * 2); }
        _blocks[BlockCount++] = block;
    }

    /// <summary>Forgets the blocks; the caller has given them back.</summary>
    public void ClearBlocks()
    {
        BlockCount = 0;
        ComputedTokens = 0;
        RegisteredBlocks = 0;
    }

    public int BlocksFor(int tokenCount) => (tokenCount + _blockTokens - 1) / _blockTokens;

    public ReadOnlySpan<int> BlockTokens(int blockIndex) => _tokens.AsSpan(blockIndex * _blockTokens, _blockTokens);

    /// <summary>Chained hash of a full block; computed once, as tokens are only ever appended.</summary>
    public ChunkHash HashOfBlock(int blockIndex)
    {
        while (_blockHashes.Count <= blockIndex)
        {
            var parent = _blockHashes.Count == 0 ? _rootHash : _blockHashes[^1];
            _blockHashes.Add(BlockHash.Next(parent, BlockTokens(_blockHashes.Count)));
        }
        return _blockHashes[blockIndex];
    }
}
