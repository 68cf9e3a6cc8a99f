namespace Ferry.Kv.Layout;

/// <summary>Everything that gives the bytes of one KV shard a meaning.</summary>
/// <remarks>
/// Row-major. Axes, outermost first:
/// <list type="bullet">
/// <item><see cref="KvOrder.TwoLtd"/>: <c>[2, layers, tokens, heads, headDim]</c>; <see cref="KvOrder.T2d"/>: <c>[layers, tokens, 2, heads, headDim]</c>.</item>
/// <item>In blocks (NHD, HND), by packing: Split <c>[layers, 2, blocks, block]</c>, Halves <c>[layers, blocks, 2, block]</c> where block is
/// <c>[tokens, heads, headDim]</c> (NHD) or <c>[heads, tokens, headDim]</c> (HND); Interleaved <c>[layers, blocks, tokens, heads, 2, headDim]</c>
/// (NHD) or <c>[layers, blocks, heads, tokens, 2, headDim]</c> (HND). With <see cref="BlockMajor"/> the blocks axis comes before the layers axis.</item>
/// </list>
/// A partial last block is stored whole, its unused tokens zero. Compare layouts, never sizes: many layouts share one
/// <see cref="PayloadBytes"/>, so a mix-up passes every length check and silently corrupts the cache.
/// </remarks>
public sealed record KvLayout
{
    /// <summary>Layers of the model.</summary>
    public required int Layers { get; init; }

    /// <summary>KV heads of the whole model.</summary>
    public required int ModelHeads { get; init; }

    /// <summary>First KV head of this shard, 0-based in the whole model.</summary>
    public required int FirstHead { get; init; }

    /// <summary>KV heads of this shard.</summary>
    public required int Heads { get; init; }

    public required int HeadDim { get; init; }

    /// <summary>Tokens that carry meaning.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens of one block; 0 for the orders that have no blocks.</summary>
    public required int BlockTokens { get; init; }

    public required KvDType DType { get; init; }

    public required KvOrder Order { get; init; }

    public required KvPacking Packing { get; init; }

    /// <summary>True when the blocks axis is outermost (one contiguous piece a block, all layers in it).</summary>
    public bool BlockMajor { get; init; }

    /// <summary>What a stored number is multiplied with to give the value; 1 except for fp8.</summary>
    public float Scale { get; init; } = 1f;

    /// <summary>Tokens that the payload has room for: <see cref="Tokens"/>, rounded up to whole blocks.</summary>
    public int PayloadTokens => BlockTokens == 0 ? Tokens : (Tokens + BlockTokens - 1) / BlockTokens * BlockTokens;

    /// <summary>Bytes of the shard: K and V, all layers, whole blocks.</summary>
    public long PayloadBytes => 2L * Layers * PayloadTokens * Heads * HeadDim * DType.Bytes();
}
