using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

/// <summary>16-bit floats as bits: .NET has no bf16 type and no vector conversion of fp16.</summary>
internal static class HalfBits
{
    /// <summary>2^112 moves fp16's exponent bias (15) to fp32's (127); as a multiplication it also normalizes subnormals, exactly.</summary>
    private const float BiasScale = 5.192296858534828e33f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Nearest, ties to even; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits | 0x00400000u) >> 16) : (ushort)((bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>fp16 numbers in the low halves of <paramref name="bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector512<uint> bits)
    {
        var magnitude = (bits & Vector512.Create(0x7FFFu)) << 13;
        var finite = (magnitude.AsSingle() * Vector512.Create(BiasScale)).AsUInt32();
        var special = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x0F800000u));
        var widened = finite | (special & (magnitude | Vector512.Create(0x7F800000u)));
        return (widened | ((bits & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }

    /// <summary>fp16 numbers in the low halves of <paramref name="bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(Vector256<uint> bits)
    {
        var magnitude = (bits & Vector256.Create(0x7FFFu)) << 13;
        var finite = (magnitude.AsSingle() * Vector256.Create(BiasScale)).AsUInt32();
        var special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x0F800000u));
        var widened = finite | (special & (magnitude | Vector256.Create(0x7F800000u)));
        return (widened | ((bits & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }
}
