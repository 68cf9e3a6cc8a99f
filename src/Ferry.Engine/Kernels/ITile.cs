namespace Ferry.Engine.Kernels;

/// <summary>The innermost product: some rows of inputs times one panel of 32 outputs.</summary>
/// <remarks>
/// Every output is one lane of one accumulator that starts at 0 and takes its products in order of k, each by a fused
/// multiply-add. So a result depends on its own row and its own weights only: not on how many rows a call has, nor on the
/// width of the registers, nor on which thread computes it.
/// </remarks>
internal unsafe interface ITile
{
    /// <summary>Rows that one pass over a panel serves best.</summary>
    static abstract int MaxRows { get; }

    /// <summary><c>c[r, 0..31] = (add ? c[r, 0..31] : 0) + sum over k of a[r, k] * panel[k, 0..31]</c>, the sum rounded before it is added.</summary>
    /// <param name="rows">Any number from 1.</param>
    /// <param name="aStride">Floats from one row of inputs to the next.</param>
    /// <param name="c">Room for 32 floats a row.</param>
    static abstract void Run<TFormat>(int rows, float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat;
}
