using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct Float8E4M3FnuzFormat : IFp8Format
{
    public static KvDType DType => KvDType.Float8E4M3Fnuz;

    public static int ElementBytes => 1;

    public static int MantissaBits => 3;

    public static int Bias => 8;

    public static ushort LargestBFloat16 => 0x4370;

    public static bool IsFnuz => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to)
    {
        var code = VectorWidth.RoundToFp8(values, mantissaBits: 3, bias: 8, largest: 240f);
        // 0x80 is not a negative zero here but the NaN, and the only one.
        code = Vector512.ConditionalSelect(Vector512.Equals(code, Vector512.Create(0x80u)), Vector512<uint>.Zero, code);
        var isNumber = Vector512.Equals(values, values).AsUInt32();
        VectorWidth.StoreBytes(Vector512.ConditionalSelect(isNumber, code, Vector512.Create(0x80u)), ref to);
    }
}
