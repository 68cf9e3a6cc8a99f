using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct Float8E4M3FnFormat : ITargetFormat
{
    public static KvDType DType => KvDType.Float8E4M3Fn;

    public static int ElementBytes => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to) =>
        VectorWidth.StoreBytes(VectorWidth.RoundToFp8(values, mantissaBits: 3, bias: 7, largest: 448f), ref to);
}
