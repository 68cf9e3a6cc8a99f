namespace Ferry.Engine.Kernels;

/// <summary>Sixteen floats that are worked on together, whatever the width of the registers.</summary>
/// <remarks>
/// All row kernels are written once over this, so that every machine computes the same bits: each operation is correctly
/// rounded per lane (IEEE 754), a fused multiply-add is always fused, and nothing is reduced across lanes except by
/// <see cref="LaneMath.TreeSum"/>. Pointers need no alignment.
/// </remarks>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    static abstract TSelf Create(float value);

    static abstract TSelf Load(float* source);

    /// <summary>Sixteen bf16 numbers, widened.</summary>
    static abstract TSelf LoadBFloat16(ushort* source);

    /// <summary>Sixteen fp16 numbers, widened (subnormals, infinities and NaN included).</summary>
    static abstract TSelf LoadFloat16(ushort* source);

    static abstract void Store(TSelf value, float* destination);

    /// <summary>Rounded to the nearest bf16, ties to even; NaN stays NaN.</summary>
    static abstract void StoreBFloat16(TSelf value, ushort* destination);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary><c>left * right + addend</c> with one rounding.</summary>
    static abstract TSelf Fma(TSelf left, TSelf right, TSelf addend);

    /// <summary><c>left &gt; right ? left : right</c>.</summary>
    static abstract TSelf Greater(TSelf left, TSelf right);

    /// <summary><c>value &lt; limit ? whenLess : otherwise</c>.</summary>
    static abstract TSelf WhenLess(TSelf value, TSelf limit, TSelf whenLess, TSelf otherwise);

    /// <summary>2 to the power of the integer in the low mantissa bits of <paramref name="shifted"/> (see <see cref="LaneMath.Exp"/>).</summary>
    static abstract TSelf PowerOfTwo(TSelf shifted);

    /// <summary>Turns sixteen rows of sixteen floats, one after the other, into rows at <paramref name="target"/>, <paramref name="stride"/> floats apart.</summary>
    static abstract void Transpose(float* source, float* target, nint stride);
}
