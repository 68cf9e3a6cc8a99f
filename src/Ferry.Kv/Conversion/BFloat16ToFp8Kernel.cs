using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Conversion;

/// <summary>Casts bf16 to an fp8 whose scale is the same or a power of two away, 64 at a time in 16 bits each: nothing is widened.</summary>
/// <remarks>Only where the processor permutes bytes (AVX512_VBMI). A power of two moves bf16's exponent alone, so it is the same as another bias of the fp8.</remarks>
/// <param name="ratio">See <see cref="ElementCodec.Ratio"/>; one that <see cref="Takes"/>.</param>
/// <param name="streams">Whole lines go past the caches.</param>
internal sealed class BFloat16ToFp8Kernel<TTarget>(float ratio, bool streams) : RowKernel
    where TTarget : struct, IFp8Format
{
    private const int Step = 32;
    private const int MantissaBits = 7; // of bf16
    private const int ExponentMax = 64; // Of the ratio; with it every bound below is still an ordinary bf16.

    /// <summary>The codes below the smallest normal, by intervals of sixteen bf16.</summary>
    private static readonly byte[] Codes = [0, .. Enumerable.Range(0, 63).Select(interval => CodeAt((interval * 16) + 1))];

    /// <summary>1 where a number that lies just between two codes is rounded up: it belongs to the interval above then.</summary>
    private static readonly byte[] Ups = [.. Codes.Select((below, interval) => (byte)(CodeAt(interval * 16) == below ? 0 : 1))];

    /// <summary>For rows shorter than one step.</summary>
    private readonly CastKernel<BFloat16Format, TTarget> _short = new(ratio);
    private readonly ushort _largest = (ushort)(TTarget.LargestBFloat16 - (Exponent(ratio) << MantissaBits));
    private readonly int _bias = TTarget.Bias + Exponent(ratio);

    public override int SourceElementBytes => 2;

    public override int TargetElementBytes => 1;

    public override bool Streams => streams;

    public static bool Takes(float ratio) => Avx512Vbmi.IsSupported && MathF.Abs(MathF.Log2(ratio)) <= ExponentMax && ratio == MathF.ScaleB(1, Exponent(ratio));

    // Fully optimized from the first call: one call may convert a whole shard, so waiting for tier 1 would leave the first ones three times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override unsafe void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        if (elements < Step)
        {
            _short.Run(ref source, ref target, elements, outer, inner);
            return;
        }
        fixed (byte* place = &target) // So that a line is one until the last store, managed or not.
        {
            if (streams && StreamingCopyKernel.AreWholeLines(place, elements, outer, inner)) { Rows<PastCaches>(ref source, ref target, elements, outer, inner); }
            else { Rows<IntoCaches>(ref source, ref target, elements, outer, inner); }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rows<TStore>(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
        where TStore : struct, ILineStore
    {
        var bounds = new Bounds(_bias, _largest);
        var tables = new Tables(Ups, Codes);
        // In the order of the codes: packing works inside 16-byte lanes.
        var quarters = Vector512.Create(0L, 2, 4, 6, 1, 3, 5, 7);
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            ref var from = ref Unsafe.AddByteOffset(ref source, i * (nint)outer.SourceStride);
            ref var to = ref Unsafe.AddByteOffset(ref target, i * (nint)outer.TargetStride);
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                nint index = 0;
                for (; index <= elements - (2 * Step); index += 2 * Step)
                {
                    ref var place = ref Unsafe.AddByteOffset(ref from, 2 * index);
                    var first = Round(Vector512.LoadUnsafe(ref place).AsUInt16(), bounds, tables);
                    var second = Round(Vector512.LoadUnsafe(ref place, 2 * Step).AsUInt16(), bounds, tables);
                    var packed = Avx512BW.PackUnsignedSaturate(first.AsInt16(), second.AsInt16());
                    TStore.Store(Avx512F.PermuteVar8x64(packed.AsInt64(), quarters).AsByte(), ref Unsafe.AddByteOffset(ref to, index));
                }
                // The last step overlaps the one before it where the length is no multiple: it writes the same bytes again.
                for (; index < elements; index += Step)
                {
                    index = nint.Min(index, elements - Step);
                    var codes = Round(Vector512.LoadUnsafe(ref Unsafe.AddByteOffset(ref from, 2 * index)).AsUInt16(), bounds, tables);
                    Avx512BW.ConvertToVector256Byte(codes).StoreUnsafe(ref to, (nuint)index);
                }
                from = ref Unsafe.AddByteOffset(ref from, (nint)inner.SourceStride);
                to = ref Unsafe.AddByteOffset(ref to, (nint)inner.TargetStride);
            }
        }
    }

    /// <summary>As <see cref="ElementCodec"/>: to nearest, ties to even, saturating, NaN staying NaN. Codes of 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Round(Vector512<ushort> bits, in Bounds bounds, in Tables tables)
    {
        var magnitude = bits & Vector512.Create((ushort)0x7FFF);
        var clamped = Vector512.Min(magnitude, bounds.Largest);
        var normal = ShiftOut(clamped + bounds.Half + (ShiftOut(clamped) & Vector512.Create((ushort)1)));

        // Below the format's smallest normal there are few codes: which one changes at multiples of sixteen, counted from where the first begins.
        var above = Avx512BW.SubtractSaturate(clamped, bounds.FirstCode);
        var ups = Avx512Vbmi.PermuteVar64x8(tables.Ups, (above >>> 4).AsByte()).AsUInt16();
        var subnormal = Avx512Vbmi.PermuteVar64x8(tables.Codes, ((above + ups) >>> 4).AsByte()).AsUInt16();

        var code = Vector512.ConditionalSelect(Vector512.LessThan(clamped, bounds.SmallestNormal), subnormal, normal);
        var isNan = Vector512.GreaterThan(magnitude, Vector512.Create((ushort)0x7F80));
        var sign = (bits >>> 8) & Vector512.Create((ushort)0x80);
        if (TTarget.IsFnuz)
        {
            code |= sign;
            code = Vector512.ConditionalSelect(Vector512.Equals(code, Vector512.Create((ushort)0x80)), Vector512<ushort>.Zero, code);
            return Vector512.ConditionalSelect(isNan, Vector512.Create((ushort)0x80), code);
        }
        return Vector512.ConditionalSelect(isNan, Vector512.Create((ushort)0x7F), code) | sign;
    }

    /// <summary>The mantissa's bits that the target lacks go. Literal counts, as in <see cref="VectorWidth"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> ShiftOut(Vector512<ushort> bits) => TTarget.MantissaBits switch
    {
        2 => bits >>> 5,
        3 => bits >>> 4,
        _ => bits >>> (MantissaBits - TTarget.MantissaBits),
    };

    private static int Exponent(float ratio) => (int)MathF.Round(MathF.Log2(ratio));

    /// <summary>bf16 of half the smallest code, which is rounded to zero: what lies above by n * 16 at most has the n-th of these.</summary>
    private static ushort HalfOfFirst(int bias) => (ushort)((127 - bias - TTarget.MantissaBits) << MantissaBits);

    private static byte CodeAt(int above) =>
        (byte)ElementCodec.Encode(TTarget.DType, ElementCodec.Decode(Layout.KvDType.BFloat16, (uint)(HalfOfFirst(TTarget.Bias) + above)));

    private interface ILineStore
    {
        static abstract void Store(Vector512<byte> codes, ref byte to);
    }

    private readonly struct IntoCaches : ILineStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<byte> codes, ref byte to) => codes.StoreUnsafe(ref to);
    }

    private readonly struct PastCaches : ILineStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static unsafe void Store(Vector512<byte> codes, ref byte to) => codes.StoreAlignedNonTemporal((byte*)Unsafe.AsPointer(ref to));
    }

    // Structures of at most four fields, which the compiler keeps in registers.
    private readonly struct Bounds(int bias, ushort largest)
    {
        public readonly Vector512<ushort> Largest = Vector512.Create(largest);
        public readonly Vector512<ushort> Half = Vector512.Create(unchecked((ushort)((1 << (MantissaBits - TTarget.MantissaBits - 1)) - 1 - ((127 - bias) << MantissaBits))));
        public readonly Vector512<ushort> FirstCode = Vector512.Create((ushort)(HalfOfFirst(bias) - 15)); // So that a multiple of sixteen ends an interval.
        public readonly Vector512<ushort> SmallestNormal = Vector512.Create((ushort)((128 - bias) << MantissaBits));
    }

    private readonly struct Tables(byte[] ups, byte[] codes)
    {
        public readonly Vector512<byte> Ups = Vector512.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(ups));
        public readonly Vector512<byte> Codes = Vector512.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(codes));
    }
}
