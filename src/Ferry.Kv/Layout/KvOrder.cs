namespace Ferry.Kv.Layout;

/// <summary>Order of a layout's axes, outermost first. The numbers reach disk and wire and never change.</summary>
public enum KvOrder : byte
{
    /// <summary>LMCache's KV_2LTD: <c>[2 (K, V), layers, tokens, heads, headDim]</c>, not in blocks.</summary>
    TwoLtd = 1,

    /// <summary>LMCache's KV_T2D, layer by layer: <c>[layers, tokens, 2 (K, V), heads, headDim]</c>, not in blocks.</summary>
    T2d = 2,

    /// <summary>In blocks; inside a block tokens before heads: <c>[tokens, heads, headDim]</c>.</summary>
    Nhd = 3,

    /// <summary>In blocks; inside a block heads before tokens: <c>[heads, tokens, headDim]</c>.</summary>
    Hnd = 4,

    /// <summary>Bytes whose axes nobody has told us: stored and given back as they are, never converted. See <see cref="KvLayout.Opaque"/>.</summary>
    Opaque = 5,
}
