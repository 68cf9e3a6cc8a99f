using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>One element at a time: what the vector kernels must equal bit for bit, and what they use for tables and tails.</summary>
/// <remarks>
/// Rounding is to nearest, ties to even. fp8 saturates (infinities too): a KV value out of range becomes the largest of its sign.
/// fp16 and bf16 overflow to infinity as IEEE 754 says. A NaN stays a NaN of the same sign with the high bits of its payload and the
/// quiet bit set (fp16 and bf16 to fp32: all bits as they are); fp8 has one NaN a sign (e4m3fnuz one in all; e5m2 0x7F and 0xFF).
/// </remarks>
internal static class ElementCodec
{
    /// <summary>The bits of the value as fp32; exact for every dtype.</summary>
    public static float Decode(KvDType dtype, uint bits) => dtype switch
    {
        KvDType.Float32 => BitConverter.UInt32BitsToSingle(bits),
        KvDType.Float16 => DecodeIeee(bits, 16, 10, 15, quiet: 0),
        KvDType.BFloat16 => BitConverter.UInt32BitsToSingle(bits << 16),
        KvDType.Float8E4M3Fn => (bits & 0x7F) == 0x7F ? Nan(bits >> 7) : DecodeFinite(bits, 8, 3, 7),
        KvDType.Float8E4M3Fnuz => bits == 0x80 ? Nan(0) : DecodeFinite(bits, 8, 3, 8),
        KvDType.Float8E5M2 => DecodeIeee(bits, 8, 2, 15, quiet: 0x400000),
        _ => throw new UnreachableException($"dtype {dtype}"),
    };

    public static uint Encode(KvDType dtype, float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return dtype switch
        {
            KvDType.Float32 => bits,
            KvDType.Float16 => EncodeFloat16(bits),
            KvDType.BFloat16 => float.IsNaN(value) ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16,
            KvDType.Float8E4M3Fn => EncodeFp8(bits, 3, 7, 448f, 0x7F),
            KvDType.Float8E4M3Fnuz => EncodeFnuz(bits),
            KvDType.Float8E5M2 => EncodeFp8(bits, 2, 15, 57344f, 0x7F),
            _ => throw new UnreachableException($"dtype {dtype}"),
        };
    }

    /// <summary>What a stored number is multiplied with on its way from one scale to another; 1 where they agree.</summary>
    public static float Ratio(float sourceScale, float targetScale) => (float)((double)sourceScale / targetScale);

    private static float DecodeFinite(uint bits, int width, int mantissaBits, int bias)
    {
        var sign = (bits >> (width - 1)) << 31;
        var magnitude = bits & ((1u << (width - 1)) - 1);
        // The code, moved to where fp32 has its fields, is the value times 2^(bias - 127), subnormals included.
        var scaled = BitConverter.UInt32BitsToSingle(magnitude << (23 - mantissaBits));
        return BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(scaled * PowerOfTwo(127 - bias)) | sign);
    }

    /// <summary>Formats with infinities and NaNs as IEEE 754 has them.</summary>
    private static float DecodeIeee(uint bits, int width, int mantissaBits, int bias, uint quiet)
    {
        var magnitude = bits & ((1u << (width - 1)) - 1);
        if (magnitude >> mantissaBits != (1u << (width - 1 - mantissaBits)) - 1) { return DecodeFinite(bits, width, mantissaBits, bias); }
        var mantissa = magnitude & ((1u << mantissaBits) - 1);
        if (mantissa == 0) { quiet = 0; }                                       // infinity
        return BitConverter.UInt32BitsToSingle((bits >> (width - 1)) << 31 | 0x7F800000 | mantissa << (23 - mantissaBits) | quiet);
    }

    private static uint EncodeFloat16(uint bits)
    {
        var sign = (bits >> 16) & 0x8000;
        var magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) { return sign | 0x7E00 | (magnitude >> 13) & 0x3FF; }
        // 65536 rounds to the code of infinity, and so does everything above it.
        var clamped = MathF.Min(BitConverter.UInt32BitsToSingle(magnitude), 65536f);
        return sign | RoundMagnitude(clamped, 10, 15);
    }

    private static uint EncodeFp8(uint bits, int mantissaBits, int bias, float largest, uint nan)
    {
        var sign = (bits >> 24) & 0x80;
        var magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) { return sign | nan; }
        return sign | RoundMagnitude(MathF.Min(BitConverter.UInt32BitsToSingle(magnitude), largest), mantissaBits, bias);
    }

    /// <summary>No negative zero: its code is the NaN.</summary>
    private static uint EncodeFnuz(uint bits)
    {
        if ((bits & 0x7FFFFFFF) > 0x7F800000) { return 0x80; }
        var code = EncodeFp8(bits, 3, 8, 240f, 0);
        return code == 0x80 ? 0 : code;
    }

    /// <summary>Rounds a non-negative number that is at most the format's largest (or one step above) to its code.</summary>
    private static uint RoundMagnitude(float magnitude, int mantissaBits, int bias)
    {
        var dropped = 23 - mantissaBits;
        if (magnitude < PowerOfTwo(1 - bias))
        {
            // Adding a number whose last place is the format's smallest step makes the hardware round to that step.
            var step = PowerOfTwo(23 + 1 - bias - mantissaBits);
            return BitConverter.SingleToUInt32Bits(magnitude + step) - BitConverter.SingleToUInt32Bits(step);
        }
        var bits = BitConverter.SingleToUInt32Bits(magnitude);
        var rounded = bits + (1u << (dropped - 1)) - 1 + ((bits >> dropped) & 1);
        return (rounded >> dropped) - ((uint)(127 - bias) << mantissaBits);
    }

    private static float Nan(uint sign) => BitConverter.UInt32BitsToSingle(sign << 31 | 0x7FC00000);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PowerOfTwo(int exponent) => BitConverter.UInt32BitsToSingle((uint)(exponent + 127) << 23);
}
