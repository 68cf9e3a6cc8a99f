using System.Runtime.CompilerServices;

namespace Ferry.Kv.Conversion;

/// <summary>Casts into a buffer that stays in the first-level cache and writes from there past the caches, as <see cref="StreamingCopyKernel"/> does with bytes.</summary>
/// <param name="cast">What converts the rows.</param>
internal sealed class StreamingCastKernel(RowKernel cast) : RowKernel
{
    // Half of the smallest first-level cache in use (32 KiB) holds the buffer and the rows that it is made of.
    private const int BufferBytes = 4096;

    public override int SourceElementBytes => cast.SourceElementBytes;

    public override int TargetElementBytes => cast.TargetElementBytes;

    public override bool Streams => true;

    // Fully optimized from the first call, as the kernels that it calls.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public override unsafe void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        var memory = stackalloc byte[BufferBytes + StreamingCopyKernel.LineBytes];
        ref var buffer = ref *(byte*)(((nint)memory + StreamingCopyKernel.LineBytes - 1) & -StreamingCopyKernel.LineBytes);
        var rowBytes = elements * cast.TargetElementBytes;
        var innerBytes = rowBytes * (nint)inner.Count;
        if (innerBytes <= BufferBytes)
        {
            // Short loops inside, such as K and V: as many of the loop around them go together as the buffer holds.
            var group = BufferBytes / innerBytes;
            for (nint i = 0; i < (nint)outer.Count; i += group)
            {
                var count = nint.Min(group, (nint)outer.Count - i);
                cast.Run(ref Unsafe.AddByteOffset(ref source, i * (nint)outer.SourceStride), ref buffer, elements,
                    new NestDimension(count, outer.SourceStride, innerBytes), inner with { TargetStride = rowBytes });
                StreamingCopyKernel.Instance.Run(ref buffer, ref Unsafe.AddByteOffset(ref target, i * (nint)outer.TargetStride), rowBytes,
                    new NestDimension(count, innerBytes, outer.TargetStride), inner with { SourceStride = rowBytes });
            }
            return;
        }
        // Long rows go in pieces, of short ones several go together.
        var pieceElements = nint.Min(elements, BufferBytes / cast.TargetElementBytes);
        var rows = rowBytes >= BufferBytes ? 1 : BufferBytes / rowBytes;
        for (nint i = 0; i < (nint)outer.Count; i++)
        {
            for (nint j = 0; j < (nint)inner.Count; j += rows)
            {
                ref var from = ref Unsafe.AddByteOffset(ref source, i * (nint)outer.SourceStride + j * (nint)inner.SourceStride);
                ref var to = ref Unsafe.AddByteOffset(ref target, i * (nint)outer.TargetStride + j * (nint)inner.TargetStride);
                var count = nint.Min(rows, (nint)inner.Count - j);
                for (nint first = 0; first < elements; first += pieceElements)
                {
                    var taken = nint.Min(pieceElements, elements - first);
                    var bytes = taken * cast.TargetElementBytes;
                    cast.Run(ref Unsafe.AddByteOffset(ref from, first * cast.SourceElementBytes), ref buffer, taken,
                        NestDimension.Once, new NestDimension(count, inner.SourceStride, bytes));
                    StreamingCopyKernel.Instance.Run(ref buffer, ref Unsafe.AddByteOffset(ref to, first * cast.TargetElementBytes), bytes,
                        NestDimension.Once, new NestDimension(count, bytes, inner.TargetStride));
                }
            }
        }
    }
}
