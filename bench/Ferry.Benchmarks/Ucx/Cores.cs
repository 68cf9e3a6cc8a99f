using System.Runtime.InteropServices;
using Ferry.Transfer.Ucx;

namespace Ferry.Benchmarks.Ucx;

/// <summary>Each end of a measurement has a core of its own, Ferry's as perftest's: where two ends that spin meet on one core is luck.</summary>
internal static partial class Cores
{
    public const int Client = 0;

    public static int Server { get; } = Environment.ProcessorCount > 1 ? 1 : 0;

    /// <summary>Keeps a worker's thread on one core.</summary>
    public static Task PinAsync(UcxWorker worker, int core) => worker.CallAsync(() =>
    {
        var mask = 1UL << core;
        return SetAffinity(0, sizeof(ulong), ref mask); // 0: the calling thread
    });

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int threadId, nuint bytes, ref ulong mask);
}
