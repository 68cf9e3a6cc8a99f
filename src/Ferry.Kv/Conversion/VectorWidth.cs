using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Conversion;

/// <summary>What the vector formats share: moving 16 elements between their width and 32 bits, and rounding them.</summary>
/// <remarks>A Vector512 is two Vector256 where the hardware has no more, so one form serves all.</remarks>
internal static class VectorWidth
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> LoadWords(ref byte from)
    {
        var words = Vector256.LoadUnsafe(ref from).AsUInt16();
        return Avx512F.IsSupported
            ? Avx512F.ConvertToVector512UInt32(words)
            : Vector512.Create(Vector256.WidenLower(words), Vector256.WidenUpper(words));
    }

    /// <summary>Stores the low 16 bits of each element; the others are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreWords(Vector512<uint> values, ref byte to)
    {
        var words = Avx512F.IsSupported
            ? Avx512F.ConvertToVector256UInt16(values)
            : Vector256.Narrow(values.GetLower(), values.GetUpper());
        words.AsByte().StoreUnsafe(ref to);
    }

    /// <summary>Stores the low 8 bits of each element; the others are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector512<uint> values, ref byte to)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128Byte(values).StoreUnsafe(ref to);
            return;
        }
        var words = Vector256.Narrow(values.GetLower(), values.GetUpper());
        Vector128.Narrow(words.GetLower(), words.GetUpper()).StoreUnsafe(ref to);
    }

    /// <summary>Codes of a signed fp8 whose NaNs are 0x7F and 0xFF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> RoundToFp8(Vector512<float> values, int mantissaBits, int bias, float largest)
    {
        var magnitude = values.AsUInt32() & Vector512.Create(0x7FFFFFFFu);
        var clamped = Vector512.Min(magnitude, Vector512.Create(BitConverter.SingleToUInt32Bits(largest)));
        var isNumber = Vector512.Equals(values, values).AsUInt32();
        var code = Vector512.ConditionalSelect(isNumber, Round(clamped, mantissaBits, bias), Vector512.Create(0x7Fu));
        return code | ((values.AsUInt32() >>> 24) & Vector512.Create(0x80u));
    }

    /// <summary>Rounds non-negative fp32 bits, at most one step above the format's largest, to codes: to nearest, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Round(Vector512<uint> magnitude, int mantissaBits, int bias)
    {
        var dropped = 23 - mantissaBits;
        var odd = ShiftOut(magnitude, mantissaBits) & Vector512.Create(1u);
        var half = Vector512.Create((1u << (dropped - 1)) - 1 - ((uint)(127 - bias) << 23));
        var normal = ShiftOut(magnitude + half + odd, mantissaBits);
        // Adding a number whose last place is the format's smallest step makes the hardware round to that step. Subnormals of fp32 round to
        // nothing, as the smallest normal does; with them an addition takes over a hundred cycles on some processors.
        var step = Vector512.Create((uint)(23 + 1 - bias - mantissaBits + 127) << 23);
        var subnormal = (Vector512.Max(magnitude, Vector512.Create(1u << 23)).AsSingle() + step.AsSingle()).AsUInt32() - step;
        var isSubnormal = Vector512.LessThan(magnitude.AsInt32(), Vector512.Create((1 - bias + 127) << 23));
        return Vector512.ConditionalSelect(isSubnormal.AsUInt32(), subnormal, normal);
    }

    /// <summary>The mantissa's other bits go. A literal count becomes part of the instruction; a computed one, as constant as it is, does not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> ShiftOut(Vector512<uint> bits, int mantissaBits) => mantissaBits switch
    {
        2 => bits >>> 21,
        3 => bits >>> 20,
        10 => bits >>> 13,
        _ => bits >>> (23 - mantissaBits),
    };
}
