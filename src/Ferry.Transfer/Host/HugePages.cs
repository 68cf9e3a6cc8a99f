using System.Globalization;

namespace Ferry.Transfer.Host;

/// <summary>Large pages: how many are reserved, and whether the kernel gives them unasked.</summary>
/// <param name="Transparent"><c>always</c>, <c>madvise</c> or <c>never</c>; null where the kernel has none.</param>
/// <param name="Reserved">Of <paramref name="PageBytes"/> each.</param>
public sealed record HugePages(string? Transparent, long Reserved, long Free, long PageBytes)
{
    public static HugePages Read(HostFiles files) => new(
        Chosen(files.TryRead("/sys/kernel/mm/transparent_hugepage/enabled")),
        Number(files.TryReadField("/proc/meminfo", "HugePages_Total")),
        Number(files.TryReadField("/proc/meminfo", "HugePages_Free")),
        Number(files.TryReadField("/proc/meminfo", "Hugepagesize")) << 10);

    // "always [madvise] never"
    private static string? Chosen(string? text) => text?.Split(' ').FirstOrDefault(word => word.StartsWith('['))?.Trim('[', ']');

    // "2048 kB"
    private static long Number(string? text) =>
        long.TryParse(text?.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
