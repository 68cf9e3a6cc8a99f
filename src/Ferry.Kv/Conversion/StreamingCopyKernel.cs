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

    /// <summary>As far as a DDR read takes at the rate of a copy. Nothing sharper was measured.</summary>
    public const int AheadBytes = 4096;

    /// <summary>Rows of 256 bytes cut out of 512 lie 512 apart.</summary>
    private const int RowsAhead = AheadBytes / 512;

    /// <summary>
    /// Intel's non-temporal prefetch passes by the second-level cache: rows cut out of longer ones were copied 2.5 to 4 times slower with it than with one into the second level, or with
    /// none (docs/measurements/conversion.md). AMD's was measured as it is.
    /// </summary>
    private static readonly bool PrefetchesIntoSecondLevel = X86Base.IsSupported && X86Base.CpuId(0, 0) is (_, 0x756E_6547, 0x6C65_746E, 0x4965_6E69); // "GenuineIntel"

    public static StreamingCopyKernel Instance { get; } = new();

    public override int SourceElementBytes => 1;

    public override int TargetElementBytes => 1;

    public override bool Streams => true;

    // Fully optimized from the first call: one call may convert a whole shard, so waiting for tier 1 would leave the first ones three times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override unsafe void Run(ref byte source, ref byte target, nint elements, in NestDimension outer, in NestDimension inner)
    {
        // fixed keeps both buffers in place until the last store, managed or not.
        fixed (byte* sourceStart = &source, targetStart = &target)
        {
            if (!AreWholeLines(targetStart, elements, outer, inner))
            {
                CopyKernel.Instance.Run(ref source, ref target, elements, outer, inner);
                return;
            }
            // Of a row cut out of a longer one the processor's own look-ahead brings the neighbours too, or nothing in time: it is told what is read next.
            var cutOut = inner.SourceStride > elements;
            var lastPrefetched = (nint)inner.Count - RowsAhead;
            for (nint i = 0; i < (nint)outer.Count; i++)
            {
                var from = sourceStart + i * (nint)outer.SourceStride;
                var to = targetStart + i * (nint)outer.TargetStride;
                for (nint j = 0; j < (nint)inner.Count; j++)
                {
                    if (cutOut && j < lastPrefetched)
                    {
                        Prefetch(from + (nint)inner.SourceStride * RowsAhead, elements);
                    }
                    Row(from, to, elements);
                    from += (nint)inner.SourceStride;
                    to += (nint)inner.TargetStride;
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

    /// <summary>Whether rows of so many bytes are lines of the cache, none of them in part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe bool AreWholeLines(byte* target, nint rowBytes, in NestDimension outer, in NestDimension inner) =>
        (((nint)target | rowBytes | (nint)outer.TargetStride | (nint)inner.TargetStride) & (LineBytes - 1)) == 0;

    /// <summary>Asks for lines that are read soon, and once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(byte* from, nint bytes)
    {
        if (!Sse.IsSupported) { return; }
        for (nint offset = 0; offset < bytes; offset += LineBytes)
        {
            if (PrefetchesIntoSecondLevel) { Sse.Prefetch1(from + offset); }
            else { Sse.PrefetchNonTemporal(from + offset); }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Row(byte* from, byte* to, nint rowBytes)
    {
        for (nint offset = 0; offset < rowBytes; offset += LineBytes)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512.Load(from + offset).StoreAlignedNonTemporal(to + offset);
            }
            else
            {
                // Both halves of a line at once, so that the processor combines them into one write.
                var (low, high) = (Vector256.Load(from + offset), Vector256.Load(from + offset + LineBytes / 2));
                low.StoreAlignedNonTemporal(to + offset);
                high.StoreAlignedNonTemporal(to + offset + LineBytes / 2);
            }
        }
    }
}
