using System.Diagnostics;

namespace Ferry.Benchmarks.Engine;

/// <summary>Tokens a second: of wall time, and of processor time summed over all threads.</summary>
internal readonly record struct Rate(double Wall, double Cpu)
{
    public static Rate Of(int tokens, Action action)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        action();
        double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new Rate(tokens / wall, tokens / (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }
}
