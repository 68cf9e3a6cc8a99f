using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Engine.Kernels;

/// <summary>Sixteen lanes in two 256-bit registers.</summary>
internal readonly unsafe struct Lanes256(Vector256<float> lower, Vector256<float> upper) : ILanes<Lanes256>
{
    private readonly Vector256<float> _lower = lower;
    private readonly Vector256<float> _upper = upper;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Create(float value) => new(Vector256.Create(value), Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(Vector256.Load(source), Vector256.Load(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBFloat16(ushort* source)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Load(source));
        return new((lower << 16).AsSingle(), (upper << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadFloat16(ushort* source)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Load(source));
        return new(HalfBits.Widen(lower), HalfBits.Widen(upper));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 value, float* destination)
    {
        value._lower.Store(destination);
        value._upper.Store(destination + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBFloat16(Lanes256 value, ushort* destination) =>
        Vector256.Narrow(RoundBFloat16(value._lower), RoundBFloat16(value._upper)).Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 left, Lanes256 right) => new(left._lower + right._lower, left._upper + right._upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 left, Lanes256 right) => new(left._lower - right._lower, left._upper - right._upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 left, Lanes256 right) => new(left._lower * right._lower, left._upper * right._upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 left, Lanes256 right) => new(left._lower / right._lower, left._upper / right._upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Fma(Lanes256 left, Lanes256 right, Lanes256 addend) => new(
        Vector256.FusedMultiplyAdd(left._lower, right._lower, addend._lower),
        Vector256.FusedMultiplyAdd(left._upper, right._upper, addend._upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Greater(Lanes256 left, Lanes256 right) => new(
        Vector256.ConditionalSelect(Vector256.GreaterThan(left._lower, right._lower), left._lower, right._lower),
        Vector256.ConditionalSelect(Vector256.GreaterThan(left._upper, right._upper), left._upper, right._upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WhenLess(Lanes256 value, Lanes256 limit, Lanes256 whenLess, Lanes256 otherwise) => new(
        Vector256.ConditionalSelect(Vector256.LessThan(value._lower, limit._lower), whenLess._lower, otherwise._lower),
        Vector256.ConditionalSelect(Vector256.LessThan(value._upper, limit._upper), whenLess._upper, otherwise._upper));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 shifted) => new(
        ((shifted._lower.AsInt32() + Vector256.Create(127)) << 23).AsSingle(),
        ((shifted._upper.AsInt32() + Vector256.Create(127)) << 23).AsSingle());

    public static void Transpose(float* source, float* target, nint stride) => LaneMath.Transpose(source, target, stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> RoundBFloat16(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = bits + Vector256.Create(0x7FFFu) + ((bits >>> 16) & Vector256.Create(1u));
        // Rounding up must not turn a NaN into infinity or zero: keep its sign and make it quiet.
        var kept = Vector256.Equals(value, value).AsUInt32();
        return Vector256.ConditionalSelect(kept, rounded, bits | Vector256.Create(0x00400000u)) >>> 16;
    }
}
