using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

/// <summary>Tiles with 256-bit registers: half a panel at a time, twelve of the sixteen registers hold six rows.</summary>
internal readonly unsafe struct Tile256 : ITile
{
    public static int MaxRows => 6;

    public static void Run<TFormat>(int rows, float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        for (; rows >= 6; rows -= 6)
        {
            Rows6<TFormat>(a, aStride, panel, 0, c, cStride, depth, add);
            Rows6<TFormat>(a, aStride, panel, 1, c, cStride, depth, add);
            a += 6 * aStride;
            c += 6 * cStride;
        }
        for (; rows >= 2; rows -= 2)
        {
            Rows2<TFormat>(a, aStride, panel, 0, c, cStride, depth, add);
            Rows2<TFormat>(a, aStride, panel, 1, c, cStride, depth, add);
            a += 2 * aStride;
            c += 2 * cStride;
        }
        if (rows == 1)
        {
            Rows1<TFormat>(a, panel, c, depth, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6<TFormat>(float* a, nint aStride, byte* panel, int part, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector256<float> c0l = default, c0h = default;
        Vector256<float> c1l = default, c1h = default;
        Vector256<float> c2l = default, c2h = default;
        Vector256<float> c3l = default, c3h = default;
        Vector256<float> c4l = default, c4h = default;
        Vector256<float> c5l = default, c5h = default;
        float* a3 = a + (3 * aStride);
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower256(panel, part);
            var high = TFormat.Upper256(panel, part);
            panel += TFormat.RowBytes;
            var x = Vector256.Create(a[k]);
            c0l = Vector256.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector256.FusedMultiplyAdd(x, high, c0h);
            x = Vector256.Create(a[k + aStride]);
            c1l = Vector256.FusedMultiplyAdd(x, low, c1l);
            c1h = Vector256.FusedMultiplyAdd(x, high, c1h);
            x = Vector256.Create(a[k + (2 * aStride)]);
            c2l = Vector256.FusedMultiplyAdd(x, low, c2l);
            c2h = Vector256.FusedMultiplyAdd(x, high, c2h);
            x = Vector256.Create(a3[k]);
            c3l = Vector256.FusedMultiplyAdd(x, low, c3l);
            c3h = Vector256.FusedMultiplyAdd(x, high, c3h);
            x = Vector256.Create(a3[k + aStride]);
            c4l = Vector256.FusedMultiplyAdd(x, low, c4l);
            c4h = Vector256.FusedMultiplyAdd(x, high, c4h);
            x = Vector256.Create(a3[k + (2 * aStride)]);
            c5l = Vector256.FusedMultiplyAdd(x, low, c5l);
            c5h = Vector256.FusedMultiplyAdd(x, high, c5h);
        }
        c += 8 * part;
        Put(c, c0l, c0h, add);
        Put(c += cStride, c1l, c1h, add);
        Put(c += cStride, c2l, c2h, add);
        Put(c += cStride, c3l, c3h, add);
        Put(c += cStride, c4l, c4h, add);
        Put(c + cStride, c5l, c5h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2<TFormat>(float* a, nint aStride, byte* panel, int part, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector256<float> c0l = default, c0h = default;
        Vector256<float> c1l = default, c1h = default;
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower256(panel, part);
            var high = TFormat.Upper256(panel, part);
            panel += TFormat.RowBytes;
            var x = Vector256.Create(a[k]);
            c0l = Vector256.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector256.FusedMultiplyAdd(x, high, c0h);
            x = Vector256.Create(a[k + aStride]);
            c1l = Vector256.FusedMultiplyAdd(x, low, c1l);
            c1h = Vector256.FusedMultiplyAdd(x, high, c1h);
        }
        c += 8 * part;
        Put(c, c0l, c0h, add);
        Put(c + cStride, c1l, c1h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1<TFormat>(float* a, byte* panel, float* c, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector256<float> c0l = default, c0h = default;
        Vector256<float> c1l = default, c1h = default;
        for (nint k = 0; k < depth; k++)
        {
            var x = Vector256.Create(a[k]);
            c0l = Vector256.FusedMultiplyAdd(x, TFormat.Lower256(panel, 0), c0l);
            c0h = Vector256.FusedMultiplyAdd(x, TFormat.Upper256(panel, 0), c0h);
            c1l = Vector256.FusedMultiplyAdd(x, TFormat.Lower256(panel, 1), c1l);
            c1h = Vector256.FusedMultiplyAdd(x, TFormat.Upper256(panel, 1), c1h);
            panel += TFormat.RowBytes;
        }
        Put(c, c0l, c0h, add);
        Put(c + 8, c1l, c1h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, Vector256<float> low, Vector256<float> high, bool add)
    {
        if (add)
        {
            low += Vector256.Load(c);
            high += Vector256.Load(c + 16);
        }
        low.Store(c);
        high.Store(c + 16);
    }
}
