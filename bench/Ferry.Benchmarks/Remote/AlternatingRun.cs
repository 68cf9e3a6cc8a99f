using System.Diagnostics;

namespace Ferry.Benchmarks.Remote;

/// <summary>Runs contestants in turns, each round begun by another, so that what else the machine does meets all of them alike.</summary>
internal sealed class AlternatingRun
{
    private readonly List<Sample>[] _samples;

    private AlternatingRun(int contestants) => _samples = [.. Enumerable.Range(0, contestants).Select(_ => new List<Sample>())];

    private readonly record struct Sample(double Seconds, double CpuSeconds);

    /// <param name="rounds">Counted rounds; one before them warms up.</param>
    /// <param name="contestants">Given the round, −1 for the first; all must move the same bytes.</param>
    public static async Task<AlternatingRun> RunAsync(int rounds, params Func<int, Task>[] contestants)
    {
        var run = new AlternatingRun(contestants.Length);
        using var process = Process.GetCurrentProcess();
        for (var round = -1; round < rounds; round++)
        {
            for (var turn = 0; turn < contestants.Length; turn++)
            {
                var who = (turn + round + 1) % contestants.Length;
                process.Refresh();
                var cpu = process.TotalProcessorTime;
                var clock = Stopwatch.StartNew();
                await contestants[who](round);
                var seconds = clock.Elapsed.TotalSeconds;
                process.Refresh();
                if (round >= 0)
                {
                    run._samples[who].Add(new Sample(seconds, (process.TotalProcessorTime - cpu).TotalSeconds));
                }
            }
        }
        return run;
    }

    /// <summary>Median of the rounds.</summary>
    public double Seconds(int contestant) => Median(_samples[contestant].Select(sample => sample.Seconds));

    /// <summary>Median of the rounds, this process.</summary>
    public double CpuSeconds(int contestant) => Median(_samples[contestant].Select(sample => sample.CpuSeconds));

    /// <summary>Speed of the first contestant against another's, round by round: median, least and greatest.</summary>
    public (double Median, double Least, double Greatest) SpeedAgainst(int other)
    {
        var ratios = _samples[0].Zip(_samples[other], (mine, theirs) => theirs.Seconds / mine.Seconds).Order().ToArray();
        return (Median(ratios), ratios[0], ratios[^1]);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
