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
        // Fields in fp32's places are the value times 2^-112, subnormals included; infinities and NaNs need the highest exponent.
        var finite = (magnitude.AsSingle() * Vector512.Create(5.192296858534828e33f)).AsUInt32();
        var isSpecial = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create((0x7BFF << 13) + 0x1FFF));
        var special = magnitude | Vector512.Create(0x7F800000u);
        return (Vector512.ConditionalSelect(isSpecial.AsUInt32(), special, finite) | ((bits & Vector512.Create(0x8000u)) << 16)).AsSingle();
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
