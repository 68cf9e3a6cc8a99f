using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

internal readonly struct Float16Format : ISourceFormat, ITargetFormat
{
    public static KvDType DType => KvDType.Float16;

    public static int ElementBytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref byte from)
    {
        var bits = VectorWidth.LoadWords(ref from);
        var magnitude = (bits & Vector512.Create(0x7FFFu)) << 13;
        // The fields are in fp32's places, and the exponent counts from another zero. A subnormal with the next exponent up is too large by
        // that power of two. (Multiplying by 2^112 would do for both, but some processors take over a hundred cycles for a subnormal operand.)
        var smallest = Vector512.Create((127u - 14) << 23);
        var normal = magnitude + Vector512.Create((127u - 15) << 23);
        var subnormal = ((magnitude + smallest).AsSingle() - smallest.AsSingle()).AsUInt32();
        var finite = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(1u << 23)), subnormal, normal);
        // Infinities and NaNs need the highest exponent.
        var special = magnitude | Vector512.Create(0x7F800000u);
        var value = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0x1Fu << 23)), finite, special);
        return (value | ((bits & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, ref byte to)
    {
        var magnitudeBits = values.AsUInt32() & Vector512.Create(0x7FFFFFFFu);
        // As integers the magnitudes of numbers are ordered, with NaNs above: one minimum clamps to 65536, the code of infinity.
        var clamped = Vector512.Min(magnitudeBits, Vector512.Create(0x47800000u));
        var code = VectorWidth.Round(clamped, mantissaBits: 10, bias: 15);
        var nan = ((magnitudeBits >>> 13) & Vector512.Create(0x3FFu)) | Vector512.Create(0x7E00u);
        var isNumber = Vector512.Equals(values, values).AsUInt32();
        VectorWidth.StoreWords(
            Vector512.ConditionalSelect(isNumber, code, nan) | ((values.AsUInt32() >>> 16) & Vector512.Create(0x8000u)), ref to);
    }
}
