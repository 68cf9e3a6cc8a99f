using System.Runtime.InteropServices;

namespace Ferry.Benchmarks;

/// <summary>Processor time of the calling thread (Linux): what other programs take from the machine is not counted.</summary>
internal static partial class ThreadCpuClock
{
    private const int ClockThreadCpuTimeId = 3;                               // linux/time.h

    public static TimeSpan Now()
    {
        if (GetTime(ClockThreadCpuTimeId, out var time) != 0) { throw new InvalidOperationException("clock_gettime failed"); }
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
