using System.Buffers;

namespace Ferry.Router.Prefixes.Events;

/// <summary>The fields of one event, in pooled arrays. What the event did not say has its default.</summary>
internal struct StoredBlocks
{
    public ulong[]? Hashes;
    public int HashCount;
    public ulong Parent;
    public bool HasParent;
    public int[]? Tokens;
    public int TokenCount;
    public int BlockTokens;
    public KvTier Tier = KvTier.Device;
    public string? Adapter;

    /// <summary>MessagePack of the extra keys, one entry a block; empty: none.</summary>
    public ReadOnlySequence<byte> Extras;
    public int Group;

    public StoredBlocks()
    {
    }

    public void Return()
    {
        if (Hashes is not null) { ArrayPool<ulong>.Shared.Return(Hashes); }
        if (Tokens is not null) { ArrayPool<int>.Shared.Return(Tokens); }
        (Hashes, Tokens) = (null, null);
    }
}
