using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Kv.Conversion;

/// <summary>Rows of bytes, unchanged, written past the caches: for targets too large to be found there afterwards.</summary>
/// <remarks>
/// An ordinary store first reads the line that it overwrites; a streaming store of a whole line does not, which saves a third of the
/// memory traffic. It needs whole, aligned lines, so other rows and other addresses go to <see cref="CopyKernel"/>.
/// </remarks>
internal sealed class StreamingCopyKernel : RowKernel
{
    public const int LineBytes = 64;

    public static StreamingCopyKernel Instance { get; } = new();

    public override int SourceElementBytes => 1;

    public override int TargetElementBytes => 1;

    public override unsafe void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        // fixed keeps both buffers in place until the last store, managed or not.
        fixed (byte* sourceStart = &source, targetStart = &target)
        {
            if ((((nint)targetStart | elements | (nint)outer.TargetStride | (nint)inner.TargetStride) & (LineBytes - 1)) != 0)
            {
                CopyKernel.Instance.Run(ref source, ref target, elements, outer, inner);
                return;
            }
            for (nint i = 0; i < (nint)outer.Count; i++)
            {
                for (nint j = 0; j < (nint)inner.Count; j++)
                {
                    Row(
                        sourceStart + i * (nint)outer.SourceStride + j * (nint)inner.SourceStride,
                        targetStart + i * (nint)outer.TargetStride + j * (nint)inner.TargetStride, elements);
                }
            }
        }
    }

    /// <summary>Streaming stores are not ordered with later ones: whoever announces the bytes to another thread must come after this.</summary>
    public static void Fence()
    {
        if (Sse.IsSupported) { Sse.StoreFence(); }
        else { Interlocked.MemoryBarrier(); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Row(byte* from, byte* to, nint rowBytes)
    {
        nint offset = 0;
        for (; offset <= rowBytes - 4 * LineBytes; offset += 4 * LineBytes)
        {
            var first = Vector512.Load(from + offset);
            var second = Vector512.Load(from + offset + LineBytes);
            var third = Vector512.Load(from + offset + 2 * LineBytes);
            var fourth = Vector512.Load(from + offset + 3 * LineBytes);
            first.StoreAlignedNonTemporal(to + offset);
            second.StoreAlignedNonTemporal(to + offset + LineBytes);
            third.StoreAlignedNonTemporal(to + offset + 2 * LineBytes);
            fourth.StoreAlignedNonTemporal(to + offset + 3 * LineBytes);
        }
        for (; offset < rowBytes; offset += LineBytes) { Vector512.Load(from + offset).StoreAlignedNonTemporal(to + offset); }
    }
}
