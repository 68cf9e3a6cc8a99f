using System.Diagnostics;
using System.Globalization;

namespace Ferry.Benchmarks.Router;

/// <summary>The thread of a .NET process that compiles anew what is used often (Linux). While it has work, a process is not yet what it will be for weeks.</summary>
internal static class CompilingThread
{
    /// <summary>Of one core: what it may still take when a process counts as warm.</summary>
    private const double IdleShare = 0.01;

    private static readonly TimeSpan s_leastWarming = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan s_mostWarming = TimeSpan.FromSeconds(120);

    /// <summary>Processor time of the thread; zero where the process has none now.</summary>
    public static TimeSpan CpuOf(int process)
    {
        foreach (var thread in ThreadsOf(process))
        {
            // The kernel keeps 15 characters of a thread's name.
            if (ReadOrEmpty(Path.Combine(thread, "comm")).StartsWith(".NET Tiered Com", StringComparison.Ordinal)
                && long.TryParse(ReadOrEmpty(Path.Combine(thread, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture, out var nanoseconds))
            {
                return TimeSpan.FromMicroseconds(nanoseconds / 1000.0);
            }
        }
        return TimeSpan.Zero;
    }

    /// <summary>Gives a system work until what serves it has been compiled.</summary>
    /// <param name="compiling">Processor time of the compiling threads of all who take part.</param>
    /// <param name="workAsync">Some seconds of all kinds of requests that are measured later.</param>
    public static async Task UntilIdleAsync(Func<TimeSpan> compiling, Func<Task> workAsync)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var (before, pass) = (compiling(), Stopwatch.GetTimestamp());
            await workAsync();
            var share = (compiling() - before) / Stopwatch.GetElapsedTime(pass);
            var warmed = Stopwatch.GetElapsedTime(begun);
            if ((warmed > s_leastWarming && share < IdleShare) || warmed > s_mostWarming)
            {
                return;
            }
        }
    }

    private static string[] ThreadsOf(int process)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{process}/task");
        }
        catch (DirectoryNotFoundException)
        {
            return [];   // ended
        }
    }

    private static string ReadOrEmpty(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";   // a thread that has just ended
        }
    }
}
