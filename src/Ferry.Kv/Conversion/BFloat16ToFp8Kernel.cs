using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Conversion;

/// <summary>Casts bf16 to an fp8 of the same scale, 32 at a time in 16 bits each: twice as many as by way of fp32, and nothing is widened.</summary>
/// <remarks>Only where the processor shifts words by counts of their own (AVX512BW).</remarks>
internal sealed class BFloat16ToFp8Kernel<TTarget> : RowKernel
    where TTarget : struct, IFp8Format
{
    private const int Step = 32;
    private const int MantissaBits = 7; // of bf16

    /// <summary>For rows shorter than one step.</summary>
    private readonly CastKernel<BFloat16Format, TTarget> _short = new(1f);

    public override int SourceElementBytes => 2;

    public override int TargetElementBytes => 1;

    // Fully optimized from the first call: one call may convert a whole shard, so waiting for tier 1 would leave the first ones three times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        if (elements < Step)
        {
            _short.Run(ref source, ref target, elements, outer, inner);
            return;
        }
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            ref var from = ref Unsafe.AddByteOffset(ref source, i * (nint)outer.SourceStride);
            ref var to = ref Unsafe.AddByteOffset(ref target, i * (nint)outer.TargetStride);
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                // The last step overlaps the one before it where the length is no multiple: it writes the same bytes again.
                for (nint index = 0; index < elements; index += Step)
                {
                    index = nint.Min(index, elements - Step);
                    Round(Vector512.LoadUnsafe(ref Unsafe.AddByteOffset(ref from, 2 * index)).AsUInt16()).StoreUnsafe(ref to, (nuint)index);
                }
                from = ref Unsafe.AddByteOffset(ref from, (nint)inner.SourceStride);
                to = ref Unsafe.AddByteOffset(ref to, (nint)inner.TargetStride);
            }
        }
    }

    /// <summary>As <see cref="ElementCodec"/>: to nearest, ties to even, saturating, NaN staying NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Round(Vector512<ushort> bits)
    {
        var one = Vector512.Create((ushort)1);
        var magnitude = bits & Vector512.Create((ushort)0x7FFF);
        var clamped = Vector512.Min(magnitude, Vector512.Create(TTarget.LargestBFloat16));

        var dropped = MantissaBits - TTarget.MantissaBits;
        var half = Vector512.Create((ushort)((1 << (dropped - 1)) - 1 - ((127 - TTarget.Bias) << MantissaBits)));
        var normal = ShiftOut(clamped + half + (ShiftOut(clamped) & one));

        // Below the format's smallest normal the code counts its smallest steps: the mantissa with its leading one, shifted by the exponent.
        // From a shift of 9 on nothing is left of it, so that longer ones, and bf16's own subnormals, may be cut to 15.
        var mantissa = (clamped & Vector512.Create((ushort)0x7F)) | Vector512.Create((ushort)0x80);
        var shift = Vector512.Min(Vector512.Create((ushort)(135 - TTarget.Bias - TTarget.MantissaBits)) - (clamped >>> MantissaBits), Vector512.Create((ushort)15));
        var odd = Avx512BW.ShiftRightLogicalVariable(mantissa, shift) & one;
        var below = (Avx512BW.ShiftLeftLogicalVariable(one, shift) >>> 1) - one;
        var subnormal = Avx512BW.ShiftRightLogicalVariable(mantissa + below + odd, shift);

        var isSubnormal = Vector512.LessThan(clamped, Vector512.Create((ushort)((128 - TTarget.Bias) << MantissaBits)));
        var code = Vector512.ConditionalSelect(isSubnormal, subnormal, normal);
        var isNan = Vector512.GreaterThan(magnitude, Vector512.Create((ushort)0x7F80));
        var sign = (bits >>> 8) & Vector512.Create((ushort)0x80);
        if (TTarget.IsFnuz)
        {
            code |= sign;
            code = Vector512.ConditionalSelect(Vector512.Equals(code, Vector512.Create((ushort)0x80)), Vector512<ushort>.Zero, code);
            code = Vector512.ConditionalSelect(isNan, Vector512.Create((ushort)0x80), code);
        }
        else
        {
            code = Vector512.ConditionalSelect(isNan, Vector512.Create((ushort)0x7F), code) | sign;
        }
        return Avx512BW.ConvertToVector256Byte(code);
    }

    /// <summary>The mantissa's bits that the target lacks go. Literal counts, as in <see cref="VectorWidth"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> ShiftOut(Vector512<ushort> bits) => TTarget.MantissaBits switch
    {
        2 => bits >>> 5,
        3 => bits >>> 4,
        _ => bits >>> (MantissaBits - TTarget.MantissaBits),
    };
}
