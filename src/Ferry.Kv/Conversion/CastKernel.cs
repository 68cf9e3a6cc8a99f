using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Kv.Conversion;

/// <summary>Casts sixteen elements at a time through fp32.</summary>
/// <param name="ratio">See <see cref="ElementCodec.Ratio"/>.</param>
internal sealed class CastKernel<TSource, TTarget>(float ratio) : RowKernel
    where TSource : struct, ISourceFormat
    where TTarget : struct, ITargetFormat
{
    private const int Step = 16;

    public override int SourceElementBytes => TSource.ElementBytes;

    public override int TargetElementBytes => TTarget.ElementBytes;

    // Fully optimized from the first call: one call may convert a whole shard, so waiting for tier 1 would leave the first ones three times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            ref var from = ref Unsafe.AddByteOffset(ref source, i * (nint)outer.SourceStride);
            ref var to = ref Unsafe.AddByteOffset(ref target, i * (nint)outer.TargetStride);
            for (nint j = 0; j < (nint)inner.Count; j++)
            {
                if (elements < Step) { ScalarRow(ref from, ref to, elements); }
                else if (ratio == 1f) { Row(ref from, ref to, elements); }
                else { ScaledRow(ref from, ref to, elements); }
                from = ref Unsafe.AddByteOffset(ref from, (nint)inner.SourceStride);
                to = ref Unsafe.AddByteOffset(ref to, (nint)inner.TargetStride);
            }
        }
    }

    /// <summary>The last step overlaps the one before it where the length is no multiple of 16: it writes the same bytes again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(ref byte from, ref byte to, nint elements)
    {
        nint index = 0;
        for (; index <= elements - 4 * Step; index += 4 * Step)
        {
            TTarget.Store(TSource.Load(ref At(ref from, index, TSource.ElementBytes)), ref At(ref to, index, TTarget.ElementBytes));
            TTarget.Store(TSource.Load(ref At(ref from, index + Step, TSource.ElementBytes)), ref At(ref to, index + Step, TTarget.ElementBytes));
            TTarget.Store(TSource.Load(ref At(ref from, index + 2 * Step, TSource.ElementBytes)), ref At(ref to, index + 2 * Step, TTarget.ElementBytes));
            TTarget.Store(TSource.Load(ref At(ref from, index + 3 * Step, TSource.ElementBytes)), ref At(ref to, index + 3 * Step, TTarget.ElementBytes));
        }
        while (index < elements)
        {
            index = nint.Min(index, elements - Step);
            TTarget.Store(TSource.Load(ref At(ref from, index, TSource.ElementBytes)), ref At(ref to, index, TTarget.ElementBytes));
            index += Step;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScaledRow(ref byte from, ref byte to, nint elements)
    {
        var factor = Vector512.Create(ratio);
        for (nint index = 0; index < elements; index += Step)
        {
            index = nint.Min(index, elements - Step);
            TTarget.Store(TSource.Load(ref At(ref from, index, TSource.ElementBytes)) * factor, ref At(ref to, index, TTarget.ElementBytes));
        }
    }

    private void ScalarRow(ref byte from, ref byte to, nint elements)
    {
        for (nint index = 0; index < elements; index++)
        {
            ref var element = ref At(ref from, index, TSource.ElementBytes);
            var bits = TSource.ElementBytes == 2 ? Unsafe.ReadUnaligned<ushort>(ref element) : Unsafe.ReadUnaligned<uint>(ref element);
            var value = ElementCodec.Decode(TSource.DType, bits);
            var code = ElementCodec.Encode(TTarget.DType, ratio == 1f ? value : value * ratio);
            ref var place = ref At(ref to, index, TTarget.ElementBytes);
            if (TTarget.ElementBytes == 1) { place = (byte)code; }
            else if (TTarget.ElementBytes == 2) { Unsafe.WriteUnaligned(ref place, (ushort)code); }
            else { Unsafe.WriteUnaligned(ref place, code); }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte At(ref byte start, nint index, int elementBytes) => ref Unsafe.AddByteOffset(ref start, index * elementBytes);
}
