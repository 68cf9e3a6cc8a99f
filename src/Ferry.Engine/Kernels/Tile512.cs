using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Engine.Kernels;

/// <summary>Tiles with 512-bit registers: each row of a tile keeps its 32 outputs in two of them.</summary>
/// <remarks>Twelve rows take 24 of the 32 registers and leave room for the weights and the broadcast input. The accumulators are named one by one
/// because the JIT keeps locals in registers, but not elements of an array; that is also why the methods are long.</remarks>
internal readonly unsafe struct Tile512 : ITile
{
    // How far ahead weights are fetched. The more rows, the longer a panel's row takes, and the fewer reads are under way by
    // themselves; measured on Zen 4 over 512..4096 bytes (docs/measurements/engine.md). A prefetch past the end reads nothing.
    private const int NearBytes = 512;
    private const int FarBytes = 2048;

    public static int MaxRows => 12;

    public static void Run<TFormat>(int rows, float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        while (rows >= 12)
        {
            Rows12<TFormat>(a, aStride, panel, c, cStride, depth, add);
            a += 12 * aStride;
            c += 12 * cStride;
            rows -= 12;
        }
        if (rows >= 8)
        {
            Rows8<TFormat>(a, aStride, panel, c, cStride, depth, add);
            a += 8 * aStride;
            c += 8 * cStride;
            rows -= 8;
        }
        if (rows >= 4)
        {
            Rows4<TFormat>(a, aStride, panel, c, cStride, depth, add);
            a += 4 * aStride;
            c += 4 * cStride;
            rows -= 4;
        }
        if (rows >= 2)
        {
            Rows2<TFormat>(a, aStride, panel, c, cStride, depth, add);
            a += 2 * aStride;
            c += 2 * cStride;
            rows -= 2;
        }
        if (rows == 1)
        {
            Rows1<TFormat>(a, panel, c, depth, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(byte* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, Vector512<float> low, Vector512<float> high, bool add)
    {
        if (add)
        {
            low += Vector512.Load(c);
            high += Vector512.Load(c + 16);
        }
        low.Store(c);
        high.Store(c + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1<TFormat>(float* a, byte* panel, float* c, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector512<float> c0l = default, c0h = default;
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower512(panel);
            var high = TFormat.Upper512(panel);
            Fetch(panel + NearBytes);
            panel += TFormat.RowBytes;
            var x = Vector512.Create(a[k]);
            c0l = Vector512.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector512.FusedMultiplyAdd(x, high, c0h);
        }
        Put(c, c0l, c0h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2<TFormat>(float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector512<float> c0l = default, c0h = default;
        Vector512<float> c1l = default, c1h = default;
        nint s1 = aStride;
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower512(panel);
            var high = TFormat.Upper512(panel);
            Fetch(panel + NearBytes);
            panel += TFormat.RowBytes;
            var x = Vector512.Create(a[k]);
            c0l = Vector512.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector512.FusedMultiplyAdd(x, high, c0h);
            x = Vector512.Create(a[k + s1]);
            c1l = Vector512.FusedMultiplyAdd(x, low, c1l);
            c1h = Vector512.FusedMultiplyAdd(x, high, c1h);
        }
        Put(c, c0l, c0h, add);
        c += cStride;
        Put(c, c1l, c1h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TFormat>(float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector512<float> c0l = default, c0h = default;
        Vector512<float> c1l = default, c1h = default;
        Vector512<float> c2l = default, c2h = default;
        Vector512<float> c3l = default, c3h = default;
        nint s1 = aStride;
        nint s2 = 2 * aStride, s3 = 3 * aStride;
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower512(panel);
            var high = TFormat.Upper512(panel);
            Fetch(panel + FarBytes);
            panel += TFormat.RowBytes;
            var x = Vector512.Create(a[k]);
            c0l = Vector512.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector512.FusedMultiplyAdd(x, high, c0h);
            x = Vector512.Create(a[k + s1]);
            c1l = Vector512.FusedMultiplyAdd(x, low, c1l);
            c1h = Vector512.FusedMultiplyAdd(x, high, c1h);
            x = Vector512.Create(a[k + s2]);
            c2l = Vector512.FusedMultiplyAdd(x, low, c2l);
            c2h = Vector512.FusedMultiplyAdd(x, high, c2h);
            x = Vector512.Create(a[k + s3]);
            c3l = Vector512.FusedMultiplyAdd(x, low, c3l);
            c3h = Vector512.FusedMultiplyAdd(x, high, c3h);
        }
        Put(c, c0l, c0h, add);
        c += cStride;
        Put(c, c1l, c1h, add);
        c += cStride;
        Put(c, c2l, c2h, add);
        c += cStride;
        Put(c, c3l, c3h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8<TFormat>(float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector512<float> c0l = default, c0h = default;
        Vector512<float> c1l = default, c1h = default;
        Vector512<float> c2l = default, c2h = default;
        Vector512<float> c3l = default, c3h = default;
        Vector512<float> c4l = default, c4h = default;
        Vector512<float> c5l = default, c5h = default;
        Vector512<float> c6l = default, c6h = default;
        Vector512<float> c7l = default, c7h = default;
        nint s1 = aStride;
        nint s2 = 2 * aStride, s3 = 3 * aStride;
        float* a4 = a + (4 * aStride);
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower512(panel);
            var high = TFormat.Upper512(panel);
            Fetch(panel + FarBytes);
            panel += TFormat.RowBytes;
            var x = Vector512.Create(a[k]);
            c0l = Vector512.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector512.FusedMultiplyAdd(x, high, c0h);
            x = Vector512.Create(a[k + s1]);
            c1l = Vector512.FusedMultiplyAdd(x, low, c1l);
            c1h = Vector512.FusedMultiplyAdd(x, high, c1h);
            x = Vector512.Create(a[k + s2]);
            c2l = Vector512.FusedMultiplyAdd(x, low, c2l);
            c2h = Vector512.FusedMultiplyAdd(x, high, c2h);
            x = Vector512.Create(a[k + s3]);
            c3l = Vector512.FusedMultiplyAdd(x, low, c3l);
            c3h = Vector512.FusedMultiplyAdd(x, high, c3h);
            x = Vector512.Create(a4[k]);
            c4l = Vector512.FusedMultiplyAdd(x, low, c4l);
            c4h = Vector512.FusedMultiplyAdd(x, high, c4h);
            x = Vector512.Create(a4[k + s1]);
            c5l = Vector512.FusedMultiplyAdd(x, low, c5l);
            c5h = Vector512.FusedMultiplyAdd(x, high, c5h);
            x = Vector512.Create(a4[k + s2]);
            c6l = Vector512.FusedMultiplyAdd(x, low, c6l);
            c6h = Vector512.FusedMultiplyAdd(x, high, c6h);
            x = Vector512.Create(a4[k + s3]);
            c7l = Vector512.FusedMultiplyAdd(x, low, c7l);
            c7h = Vector512.FusedMultiplyAdd(x, high, c7h);
        }
        Put(c, c0l, c0h, add);
        c += cStride;
        Put(c, c1l, c1h, add);
        c += cStride;
        Put(c, c2l, c2h, add);
        c += cStride;
        Put(c, c3l, c3h, add);
        c += cStride;
        Put(c, c4l, c4h, add);
        c += cStride;
        Put(c, c5l, c5h, add);
        c += cStride;
        Put(c, c6l, c6h, add);
        c += cStride;
        Put(c, c7l, c7h, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows12<TFormat>(float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add)
        where TFormat : struct, IPanelFormat
    {
        Vector512<float> c0l = default, c0h = default;
        Vector512<float> c1l = default, c1h = default;
        Vector512<float> c2l = default, c2h = default;
        Vector512<float> c3l = default, c3h = default;
        Vector512<float> c4l = default, c4h = default;
        Vector512<float> c5l = default, c5h = default;
        Vector512<float> c6l = default, c6h = default;
        Vector512<float> c7l = default, c7h = default;
        Vector512<float> c8l = default, c8h = default;
        Vector512<float> c9l = default, c9h = default;
        Vector512<float> cal = default, cah = default;
        Vector512<float> cbl = default, cbh = default;
        nint s1 = aStride;
        nint s2 = 2 * aStride, s3 = 3 * aStride;
        float* a4 = a + (4 * aStride);
        float* a8 = a4 + (4 * aStride);
        for (nint k = 0; k < depth; k++)
        {
            var low = TFormat.Lower512(panel);
            var high = TFormat.Upper512(panel);
            Fetch(panel + FarBytes);
            panel += TFormat.RowBytes;
            var x = Vector512.Create(a[k]);
            c0l = Vector512.FusedMultiplyAdd(x, low, c0l);
            c0h = Vector512.FusedMultiplyAdd(x, high, c0h);
            x = Vector512.Create(a[k + s1]);
            c1l = Vector512.FusedMultiplyAdd(x, low, c1l);
            c1h = Vector512.FusedMultiplyAdd(x, high, c1h);
            x = Vector512.Create(a[k + s2]);
            c2l = Vector512.FusedMultiplyAdd(x, low, c2l);
            c2h = Vector512.FusedMultiplyAdd(x, high, c2h);
            x = Vector512.Create(a[k + s3]);
            c3l = Vector512.FusedMultiplyAdd(x, low, c3l);
            c3h = Vector512.FusedMultiplyAdd(x, high, c3h);
            x = Vector512.Create(a4[k]);
            c4l = Vector512.FusedMultiplyAdd(x, low, c4l);
            c4h = Vector512.FusedMultiplyAdd(x, high, c4h);
            x = Vector512.Create(a4[k + s1]);
            c5l = Vector512.FusedMultiplyAdd(x, low, c5l);
            c5h = Vector512.FusedMultiplyAdd(x, high, c5h);
            x = Vector512.Create(a4[k + s2]);
            c6l = Vector512.FusedMultiplyAdd(x, low, c6l);
            c6h = Vector512.FusedMultiplyAdd(x, high, c6h);
            x = Vector512.Create(a4[k + s3]);
            c7l = Vector512.FusedMultiplyAdd(x, low, c7l);
            c7h = Vector512.FusedMultiplyAdd(x, high, c7h);
            x = Vector512.Create(a8[k]);
            c8l = Vector512.FusedMultiplyAdd(x, low, c8l);
            c8h = Vector512.FusedMultiplyAdd(x, high, c8h);
            x = Vector512.Create(a8[k + s1]);
            c9l = Vector512.FusedMultiplyAdd(x, low, c9l);
            c9h = Vector512.FusedMultiplyAdd(x, high, c9h);
            x = Vector512.Create(a8[k + s2]);
            cal = Vector512.FusedMultiplyAdd(x, low, cal);
            cah = Vector512.FusedMultiplyAdd(x, high, cah);
            x = Vector512.Create(a8[k + s3]);
            cbl = Vector512.FusedMultiplyAdd(x, low, cbl);
            cbh = Vector512.FusedMultiplyAdd(x, high, cbh);
        }
        Put(c, c0l, c0h, add);
        c += cStride;
        Put(c, c1l, c1h, add);
        c += cStride;
        Put(c, c2l, c2h, add);
        c += cStride;
        Put(c, c3l, c3h, add);
        c += cStride;
        Put(c, c4l, c4h, add);
        c += cStride;
        Put(c, c5l, c5h, add);
        c += cStride;
        Put(c, c6l, c6h, add);
        c += cStride;
        Put(c, c7l, c7h, add);
        c += cStride;
        Put(c, c8l, c8h, add);
        c += cStride;
        Put(c, c9l, c9h, add);
        c += cStride;
        Put(c, cal, cah, add);
        c += cStride;
        Put(c, cbl, cbh, add);
    }
}
