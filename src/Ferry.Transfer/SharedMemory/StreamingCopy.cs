using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ferry.Transfer.SharedMemory;

/// <summary>A copy of many bytes that nobody reads again soon: written past the caches, which spares the reading of every line before it is overwritten.</summary>
internal static unsafe class StreamingCopy
{
    // From here on a plain copy no longer stays in the second-level cache anyway.
    private const int StreamFromBytes = 256 << 10;
    private const int LineBytes = 64;

    /// <param name="source">As many readable bytes as <paramref name="target"/> has; the caller keeps the address alive.</param>
    public static void Copy(byte* source, Span<byte> target)
    {
        if (!Sse2.IsSupported || !Vector256.IsHardwareAccelerated || target.Length < StreamFromBytes)
        {
            new ReadOnlySpan<byte>(source, target.Length).CopyTo(target);
            return;
        }
        fixed (byte* first = target) // Native memory of a region that the caller holds.
        {
            var head = (int)(-(nint)first & (LineBytes - 1));
            Buffer.MemoryCopy(source, first, head, head);
            var from = source + head;
            var to = first + head;
            var left = target.Length - head;
            for (; left >= 2 * LineBytes; left -= 2 * LineBytes, from += 2 * LineBytes, to += 2 * LineBytes)
            {
                Sse.Prefetch0(from + 8 * LineBytes);
                Sse.Prefetch0(from + 9 * LineBytes);
                var (a, b) = (Vector256.Load(from), Vector256.Load(from + 32));
                var (c, d) = (Vector256.Load(from + 64), Vector256.Load(from + 96));
                a.StoreAlignedNonTemporal(to);
                b.StoreAlignedNonTemporal(to + 32);
                c.StoreAlignedNonTemporal(to + 64);
                d.StoreAlignedNonTemporal(to + 96);
            }
            Buffer.MemoryCopy(from, to, left, left);
            Sse.StoreFence(); // Other threads see the bytes before they see that the transfer has ended.
        }
    }
}
