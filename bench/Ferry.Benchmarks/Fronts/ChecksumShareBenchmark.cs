using System.Diagnostics;

namespace Ferry.Benchmarks.Fronts;

/// <summary>What the checksum of a value costs a SET over RESP, as a user sees it: two fronts of one process over one memory, in alternating batches of one run.</summary>
internal static class ChecksumShareBenchmark
{
    private const long MemoryBytes = 1L << 30;
    private const long BatchBytes = 160L << 20;
    private const int WarmPairs = 4;
    private const int Pairs = 40;
    private static readonly int[] Sizes = [1 << 20, 20 << 20];

    /// <param name="args">The number of pairs, if not 40.</param>
    public static void Run(string[] args)
    {
        var pairs = args.Length > 0 ? int.Parse(args[0]) : Pairs;
        using var server = BenchServer.Self("Ferry", "fronts-server", $"{MemoryBytes}", "unchecked");
        Console.WriteLine($"SET over RESP, one connection, {pairs} alternating pairs of batches of {BatchBytes >> 20} MiB; medians of each, and of the pairs' ratios.");
        Console.WriteLine();
        Console.WriteLine("| value | | without checksum | with | overhead, median of the pairs' |");
        Console.WriteLine("|---|---|---:|---:|---:|");
        foreach (var size in Sizes)
        {
            using var withLoad = new RespLoad(server.Port, size, 1);
            using var withoutLoad = new RespLoad(server.SecondPort, size, 1);
            var samples = new List<(Sample Without, Sample With)>();
            for (var pair = 0; pair < WarmPairs + pairs; pair++)
            {
                var isFirst = pair % 2 == 0;
                var first = Take(server, isFirst ? withoutLoad : withLoad, size);
                var second = Take(server, isFirst ? withLoad : withoutLoad, size);
                if (pair >= WarmPairs)
                {
                    samples.Add(isFirst ? (first, second) : (second, first));
                }
            }
            Print(size, "wall, ms/GB", samples, sample => sample.Wall);
            Print(size, "processor time of both ends, ms/GB", samples, sample => sample.Client + sample.Server);
            Print(size, "processor time of the server, ms/GB", samples, sample => sample.Server);
        }
    }

    private static void Print(int size, string what, List<(Sample Without, Sample With)> samples, Func<Sample, double> of)
    {
        var (without, with) = (Median(samples.Select(pair => of(pair.Without))), Median(samples.Select(pair => of(pair.With))));
        var overhead = Median(samples.Select(pair => of(pair.With) / of(pair.Without))) - 1;
        Console.WriteLine($"| {size >> 20} MiB | {what} | {without:F0} | {with:F0} | {100 * overhead:F1} % |");
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <returns>Milliseconds for 10⁹ bytes.</returns>
    private static Sample Take(BenchServer server, RespLoad load, int size)
    {
        var count = (int)(BatchBytes / size);
        var (client, serverBefore, clock) = (ThreadCpuClock.Now(), server.PreciseCpuTime, Stopwatch.GetTimestamp());
        for (var key = 0; key < count; key++)
        {
            load.Set(key, 1);
        }
        var gigabytes = (double)count * size / 1e9;
        return new Sample(
            Stopwatch.GetElapsedTime(clock).TotalMilliseconds / gigabytes, (ThreadCpuClock.Now() - client).TotalMilliseconds / gigabytes,
            (server.PreciseCpuTime - serverBefore).TotalMilliseconds / gigabytes);
    }

    private readonly record struct Sample(double Wall, double Client, double Server);
}
