using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct Float8E4M3FnFormat : IFp8Format
{
    public static KvDType DType => KvDType.Float8E4M3Fn;

    public static int ElementBytes => 1;

    public static int MantissaBits => 3;

    public static int Bias => 7;

    public static ushort LargestBFloat16 => 0x43E0;

    public static bool IsFnuz => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to) =>
        VectorWidth.StoreBytes(VectorWidth.RoundToFp8(values, mantissaBits: 3, bias: 7, largest: 448f), ref to);
}
