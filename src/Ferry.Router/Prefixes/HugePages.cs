using System.Runtime.InteropServices;

namespace Ferry.Router.Prefixes;

/// <summary>Asks Linux to back a large pinned array by huge pages: random access then misses the TLB far less often.</summary>
/// <remarks>Advice only: the bytes are the same, and where it is not followed nothing changes but the speed (docs/measurements/router-index.md).</remarks>
internal static class HugePages
{
    private const int AdviseHugePage = 14;          // MADV_HUGEPAGE, asm-generic/mman-common.h
    private const long PageBytes = 2 << 20;         // of x86-64 and of arm64 with 4 KiB pages

    /// <param name="pinned">Allocated as pinned, and not written yet.</param>
    public static void Advise(ulong[] pinned)
    {
        var bytes = pinned.LongLength * sizeof(ulong);
        if (!OperatingSystem.IsLinux() || bytes < 2 * PageBytes) { return; }
        // Only whole pages inside the array: its neighbours are the garbage collector's.
        var start = (Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0) + PageBytes - 1) / PageBytes * PageBytes;
        var end = (Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0) + bytes) / PageBytes * PageBytes;
        _ = Advise((nint)start, (nuint)(end - start), AdviseHugePage);
    }

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(nint start, nuint bytes, int advice);
}
