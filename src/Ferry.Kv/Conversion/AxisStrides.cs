using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Bytes between neighbours along each axis of a layout.</summary>
/// <remarks>
/// A head vector (the <c>head_dim</c> elements of one token, head and K or V) is always contiguous; token t lies at
/// <c>t / BlockTokens * Block + t % BlockTokens * Token</c>.
/// </remarks>
/// <param name="BlockTokens">Tokens of one block, or 0 where tokens lie in one piece and Block is meaningless.</param>
internal readonly record struct AxisStrides(long Kv, long Layer, long Block, long Token, long Head, int BlockTokens)
{
    public static AxisStrides Of(KvLayout layout)
    {
        var vector = (long)layout.HeadDim * layout.DType.Bytes();
        var row = layout.Heads * vector;
        return layout.Order switch
        {
            KvOrder.TwoLtd => new(
                Kv: (long)layout.Layers * layout.Tokens * row, Layer: layout.Tokens * row, Block: 0, Token: row, Head: vector, BlockTokens: 0),
            KvOrder.T2d => new(Kv: row, Layer: 2 * layout.Tokens * row, Block: 0, Token: 2 * row, Head: vector, BlockTokens: 0),
            _ => OfBlocks(layout, vector),
        };
    }

    /// <summary>The same addresses, cut into blocks of <paramref name="blockTokens"/> tokens where the layout has none of its own.</summary>
    public AxisStrides Cut(int blockTokens) =>
        BlockTokens != 0 ? this : this with { Block = blockTokens * Token, BlockTokens = blockTokens };

    /// <summary>Offset of a token from token 0; the layout has blocks or was cut.</summary>
    public long TokenOffset(long token) => token / BlockTokens * Block + token % BlockTokens * Token;

    private static AxisStrides OfBlocks(KvLayout layout, long vector)
    {
        var n = layout.BlockTokens;
        var blocks = layout.PayloadTokens / n;
        var unit = layout.Packing == KvPacking.Interleaved ? 2 * vector : vector;
        var (token, head) = layout.Order == KvOrder.Nhd ? (layout.Heads * unit, unit) : (unit, n * unit);
        var half = (long)n * layout.Heads * vector;
        var kv = layout.Packing switch
        {
            KvPacking.Interleaved => vector,
            KvPacking.Halves => half,
            _ => blocks * half,
        };
        if (layout.Packing == KvPacking.Split) { return new(kv, 2L * blocks * half, half, token, head, n); }
        return layout.BlockMajor
            ? new(kv, 2 * half, 2 * half * layout.Layers, token, head, n)
            : new(kv, 2 * half * blocks, 2 * half, token, head, n);
    }
}
