using System.Runtime.InteropServices;

namespace Ferry.Benchmarks.Router;

/// <summary>Processor time of another process (Linux), ended threads included; /proc/PID/stat has it in ticks of 10 ms only.</summary>
internal static partial class ProcessCpuClock
{
    private const int Scheduler = 2;   // CPUCLOCK_SCHED: the low bits of a process's clock id (linux/posix-timers.h)

    /// <summary>Zero when the process is gone.</summary>
    public static TimeSpan Of(int process) =>
        GetTime((~process << 3) | Scheduler, out var time) == 0 ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0) : TimeSpan.Zero;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
