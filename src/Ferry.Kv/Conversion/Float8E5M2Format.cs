using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct Float8E5M2Format : IFp8Format
{
    public static KvDType DType => KvDType.Float8E5M2;

    public static int ElementBytes => 1;

    public static int MantissaBits => 2;

    public static int Bias => 15;

    public static ushort LargestBFloat16 => 0x4760;

    public static bool IsFnuz => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to) =>
        VectorWidth.StoreBytes(VectorWidth.RoundToFp8(values, mantissaBits: 2, bias: 15, largest: 57344f), ref to);
}
