using System.Runtime.InteropServices;

namespace Ferry.Cache.Arena;

/// <summary>Asks Linux for transparent huge pages under a range: fewer TLB misses in copies of many MiB.</summary>
internal static unsafe partial class MemoryAdvice
{
    private const int MadvHugePage = 14; // MADV_HUGEPAGE of Linux's asm-generic/mman-common.h.
    private const string KernelSetting = "/sys/kernel/mm/transparent_hugepage/enabled";

    /// <param name="start">Start of the range, on a page boundary; the caller keeps it allocated during the call.</param>
    public static HugePages TryHugePages(byte* start, nuint byteCount)
    {
        if (!OperatingSystem.IsLinux())
        {
            return HugePages.NotTried;
        }
        try
        {
            // With the kernel's setting at "never" madvise succeeds and changes nothing.
            return !File.ReadAllText(KernelSetting).Contains("[never]", StringComparison.Ordinal) && Madvise(start, byteCount, MadvHugePage) == 0
                ? HugePages.Advised
                : HugePages.Refused;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DllNotFoundException or EntryPointNotFoundException)
        {
            return HugePages.Refused;
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint length, int advice);
}
