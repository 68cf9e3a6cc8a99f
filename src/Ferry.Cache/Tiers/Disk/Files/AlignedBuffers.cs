using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ferry.Cache.Tiers.Disk.Files;

/// <summary>Buffers at page boundaries, for bytes that do not lie at one. Thread-safe; keeps as many as were in use at one time, which is at most the number of I/O threads.</summary>
internal static class AlignedBuffers
{
    public const int BufferBytes = 1 << 20; // Large enough for the full rate of a disk in one call (docs/measurements/disk.md), small enough to have one a thread.

    private static readonly ConcurrentBag<Memory<byte>> Free = [];

    public static Memory<byte> Rent()
    {
        if (Free.TryTake(out var buffer))
        {
            return buffer;
        }
        var array = GC.AllocateUninitializedArray<byte>(BufferBytes + DiskPages.PageBytes, pinned: true);
        return array.AsMemory((int)(-AddressOf(array) & (DiskPages.PageBytes - 1)), BufferBytes);
    }

    public static void Return(Memory<byte> buffer) => Free.Add(buffer);

    /// <summary>True when the bytes start at a page. Only meaningful while they are pinned.</summary>
    public static bool AreAligned(ReadOnlySpan<byte> bytes) => (AddressOf(bytes) & (DiskPages.PageBytes - 1)) == 0;

    private static nint AddressOf(ReadOnlySpan<byte> bytes) =>
        Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref MemoryMarshal.GetReference(bytes));
}
