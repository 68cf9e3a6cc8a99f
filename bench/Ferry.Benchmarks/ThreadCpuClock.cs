using System.Runtime.InteropServices;

namespace Ferry.Benchmarks;

/// <summary>Processor time of the calling thread (Linux): what other programs take from the machine is not counted.</summary>
internal static partial class ThreadCpuClock
{
    private const int ClockProcessCpuTimeId = 2;                              // linux/time.h
    private const int ClockThreadCpuTimeId = 3;

    public static TimeSpan Now() => Read(ClockThreadCpuTimeId);

    /// <summary>Of all threads of this process.</summary>
    public static TimeSpan OfProcess() => Read(ClockProcessCpuTimeId);

    private static TimeSpan Read(int clock)
    {
        if (GetTime(clock, out var time) != 0) { throw new InvalidOperationException("clock_gettime failed"); }
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
