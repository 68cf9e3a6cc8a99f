using System.Runtime.CompilerServices;

namespace Ferry.Engine.Kernels;

/// <summary>What the row kernels share: the one exponential and the one order of summation.</summary>
internal static unsafe class LaneMath
{
    public const int Lanes = 16;

    // 1.5 * 2^23: adding it rounds to an integer (ties to even) and leaves that integer in the low mantissa bits.
    private const float RoundingShift = 12582912f;

    // ln 2 in two parts: the first has few enough bits that its product with an exponent is exact (Cody and Waite).
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // Below this exp is not a normal float; it becomes 0, which also maps -infinity (a masked score) to 0.
    private const float ExpLowest = -87.33654f;

    // Above this exp nears overflow; it becomes infinity (softmax stays at or below 0, and SwiGLU divides by it).
    private const float ExpHighest = 88f;

    /// <summary>e to the power of each lane; within 2 units in the last place; exp(0) is exactly 1, below -87.3 exactly 0, above 88 infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Exp<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        var shifted = TLanes.Fma(x, TLanes.Create(1.44269504f), TLanes.Create(RoundingShift));
        var n = shifted - TLanes.Create(RoundingShift);
        var r = TLanes.Fma(n, TLanes.Create(-Ln2High), x);
        r = TLanes.Fma(n, TLanes.Create(-Ln2Low), r);
        // Minimax polynomial of the Cephes library's expf on [-ln2/2, ln2/2].
        var p = TLanes.Fma(TLanes.Create(1.9875691500e-4f), r, TLanes.Create(1.3981999507e-3f));
        p = TLanes.Fma(p, r, TLanes.Create(8.3334519073e-3f));
        p = TLanes.Fma(p, r, TLanes.Create(4.1665795894e-2f));
        p = TLanes.Fma(p, r, TLanes.Create(1.6666665459e-1f));
        p = TLanes.Fma(p, r, TLanes.Create(5.0000001201e-1f));
        p = TLanes.Fma(p, r * r, r) + TLanes.Create(1f);
        // Outside the limits p and the power mean nothing; they are not selected.
        var result = TLanes.WhenLess(x, TLanes.Create(ExpLowest), TLanes.Create(0f), p * TLanes.PowerOfTwo(shifted));
        return TLanes.WhenLess(TLanes.Create(ExpHighest), x, TLanes.Create(float.PositiveInfinity), result);
    }

    /// <summary>The sum of sixteen lanes as a tree: 16 to 8, 4, 2, 1, lane i with lane i + half.</summary>
    public static float TreeSum<TLanes>(TLanes value)
        where TLanes : struct, ILanes<TLanes>
    {
        float* lanes = stackalloc float[Lanes];
        TLanes.Store(value, lanes);
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
            {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }

    /// <summary>The greatest of sixteen lanes.</summary>
    public static float Greatest<TLanes>(TLanes value)
        where TLanes : struct, ILanes<TLanes>
    {
        float* lanes = stackalloc float[Lanes];
        TLanes.Store(value, lanes);
        float greatest = lanes[0];
        for (int lane = 1; lane < Lanes; lane++)
        {
            greatest = lanes[lane] > greatest ? lanes[lane] : greatest;
        }
        return greatest;
    }

    /// <summary>The first <paramref name="count"/> (below 16) numbers of a row's end; the other lanes are 0.</summary>
    public static TLanes LoadPart<TLanes>(float* source, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        float* lanes = stackalloc float[Lanes];
        new Span<float>(lanes, Lanes).Clear();
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(lanes, count));
        return TLanes.Load(lanes);
    }

    /// <summary>Stores the first <paramref name="count"/> (below 16) lanes.</summary>
    public static void StorePart<TLanes>(TLanes value, float* destination, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        float* lanes = stackalloc float[Lanes];
        TLanes.Store(value, lanes);
        new ReadOnlySpan<float>(lanes, count).CopyTo(new Span<float>(destination, count));
    }

    /// <summary>Sixteen rows of sixteen floats into rows <paramref name="stride"/> floats apart.</summary>
    public static void Transpose(float* source, float* target, nint stride)
    {
        for (int row = 0; row < Lanes; row++)
        {
            for (int column = 0; column < Lanes; column++)
            {
                target[(column * stride) + row] = source[(row * Lanes) + column];
            }
        }
    }
}
