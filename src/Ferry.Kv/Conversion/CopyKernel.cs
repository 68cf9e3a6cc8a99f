using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ferry.Kv.Conversion;

/// <summary>Rows of bytes, unchanged. Rows as long as common head vectors are moved in registers, without a call.</summary>
internal sealed class CopyKernel : RowKernel
{
    public static CopyKernel Instance { get; } = new();

    public override int SourceElementBytes => 1;

    public override int TargetElementBytes => 1;

    public override void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        switch (elements)
        {
            case 32: Rows<Row32>(ref source, ref target, elements, outer, inner); break;
            case 64: Rows<Row64>(ref source, ref target, elements, outer, inner); break;
            case 128: Rows<Row128>(ref source, ref target, elements, outer, inner); break;
            case 256: Rows<Row256>(ref source, ref target, elements, outer, inner); break;
            case 512: Rows<Row512>(ref source, ref target, elements, outer, inner); break;
            default: Rows<RowAny>(ref source, ref target, elements, outer, inner); break;
        }
    }

    // Fully optimized from the first call: one call may convert a whole shard, so waiting for tier 1 would leave the first ones three times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows<TRow>(ref byte source, ref byte target, nint rowBytes, in NestDimension outer, in NestDimension inner)
        where TRow : struct, IRow
    {
        var (outerCount, innerCount) = ((nint)outer.Count, (nint)inner.Count);
        var (sourceStride, targetStride) = ((nint)inner.SourceStride, (nint)inner.TargetStride);
        for (nint i = 0; i < outerCount; i++)
        {
            ref var from = ref Unsafe.AddByteOffset(ref source, i * (nint)outer.SourceStride);
            ref var to = ref Unsafe.AddByteOffset(ref target, i * (nint)outer.TargetStride);
            for (nint j = 0; j < innerCount; j++)
            {
                TRow.Copy(ref from, ref to, rowBytes);
                from = ref Unsafe.AddByteOffset(ref from, sourceStride);
                to = ref Unsafe.AddByteOffset(ref to, targetStride);
            }
        }
    }

    private interface IRow
    {
        static abstract void Copy(ref byte from, ref byte to, nint rowBytes);
    }

    private readonly struct Row32 : IRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Copy(ref byte from, ref byte to, nint rowBytes) => Vector256.LoadUnsafe(ref from).StoreUnsafe(ref to);
    }

    private readonly struct Row64 : IRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Copy(ref byte from, ref byte to, nint rowBytes) => Vector512.LoadUnsafe(ref from).StoreUnsafe(ref to);
    }

    private readonly struct Row128 : IRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Copy(ref byte from, ref byte to, nint rowBytes)
        {
            var first = Vector512.LoadUnsafe(ref from);
            var second = Vector512.LoadUnsafe(ref from, 64);
            first.StoreUnsafe(ref to);
            second.StoreUnsafe(ref to, 64);
        }
    }

    private readonly struct Row256 : IRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Copy(ref byte from, ref byte to, nint rowBytes)
        {
            var first = Vector512.LoadUnsafe(ref from);
            var second = Vector512.LoadUnsafe(ref from, 64);
            var third = Vector512.LoadUnsafe(ref from, 128);
            var fourth = Vector512.LoadUnsafe(ref from, 192);
            first.StoreUnsafe(ref to);
            second.StoreUnsafe(ref to, 64);
            third.StoreUnsafe(ref to, 128);
            fourth.StoreUnsafe(ref to, 192);
        }
    }

    private readonly struct Row512 : IRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Copy(ref byte from, ref byte to, nint rowBytes)
        {
            Row256.Copy(ref from, ref to, rowBytes);
            Row256.Copy(ref Unsafe.AddByteOffset(ref from, 256), ref Unsafe.AddByteOffset(ref to, 256), rowBytes);
        }
    }

    private readonly struct RowAny : IRow
    {
        public static void Copy(ref byte from, ref byte to, nint rowBytes)
        {
            // CopyBlock counts in 32 bits; a payload may be longer.
            while (rowBytes > 0)
            {
                var pieceBytes = nint.Min(rowBytes, 1 << 30);
                Unsafe.CopyBlockUnaligned(ref to, ref from, (uint)pieceBytes);
                from = ref Unsafe.AddByteOffset(ref from, pieceBytes);
                to = ref Unsafe.AddByteOffset(ref to, pieceBytes);
                rowBytes -= pieceBytes;
            }
        }
    }
}
