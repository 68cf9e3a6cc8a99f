using System.Globalization;

namespace Ferry.Benchmarks.Fronts;

/// <summary>The table of docs/measurements/exchange.md, and whether each bar holds.</summary>
internal sealed class FrontsReport(FrontTarget[] targets, double memoryCopyGigabytesPerSecond)
{
    private const int MiB = 1 << 20;

    private readonly Dictionary<(int Size, int Connections, bool IsSet, string Target), FrontCell> _cells = [];
    private readonly List<(int Size, int Connections, bool IsSet)> _cases = [];

    public void Add(int size, int connections, bool isSet, FrontTarget target, (long Operations, double Seconds, double ClientCpu, double ServerCpu) sample)
    {
        var key = (size, connections, isSet, target.Name);
        if (!_cells.TryGetValue(key, out var cell))
        {
            _cells[key] = cell = new FrontCell();
            if (!_cases.Contains((size, connections, isSet)))
            {
                _cases.Add((size, connections, isSet));
            }
        }
        cell.Add(sample.Operations, size, sample.Seconds, sample.ClientCpu, sample.ServerCpu);
    }

    public void PrintHead(int pipelineDepth, int rounds, TimeSpan cellTime)
    {
        Console.WriteLine($"Median of {rounds} rounds of {cellTime.TotalMilliseconds:F0} ms; 4 KiB values {pipelineDepth} at a time, others one; GB = 10⁹ bytes; memory copy, one thread: {F(memoryCopyGigabytesPerSecond, 1)} GB/s.");
        Console.WriteLine();
        Console.WriteLine($"| value | connections | | {string.Join(" | ", targets.Select(target => $"{target.Name} GB/s"))} | Ferry ÷ Redis | Ferry ÷ raw | CPU-s/GB Ferry (server) | Redis | raw |");
        Console.WriteLine($"|---|---:|---|{string.Concat(Enumerable.Repeat("---:|", targets.Length + 5))}");
    }

    public void PrintCase(int size, int connections, bool isSet)
    {
        FrontCell Of(string name) => _cells.GetValueOrDefault((size, connections, isSet, name)) ?? new FrontCell();
        var (ferry, redis, raw) = (Of("Ferry"), Of("Redis"), Of("raw socket"));
        Console.WriteLine($"| {Text(size)} | {connections} | {(isSet ? "SET" : "GET")} | {string.Join(" | ", targets.Select(target => F(Of(target.Name).GigabytesPerSecond, 2)))} "
            + $"| {F(ferry.GigabytesPerSecond / redis.GigabytesPerSecond, 2)} | {F(ferry.GigabytesPerSecond / raw.GigabytesPerSecond, 2)} "
            + $"| {F(ferry.CpuSecondsPerGigabyte, 2)} ({F(ferry.ServerCpuSecondsPerGigabyte, 2)}) | {F(redis.CpuSecondsPerGigabyte, 2)} | {F(raw.CpuSecondsPerGigabyte, 2)} |");
    }

    public void PrintFoot()
    {
        Console.WriteLine();
        PrintSmall();
        PrintBars();
    }

    private void PrintSmall()
    {
        foreach (var (size, connections, isSet) in _cases.Where(one => one.Size < 64 << 10))
        {
            var rates = targets.Select(target => (target.Name, Cell: _cells.GetValueOrDefault((size, connections, isSet, target.Name))))
                .Where(pair => pair.Cell is not null).Select(pair => $"{pair.Name} {F(pair.Cell!.OperationsPerSecond / 1000, 0)}");
            Console.WriteLine($"- {Text(size)} {(isSet ? "SET" : "GET")}, {connections} connections, 1000 op/s: {string.Join(", ", rates)}.");
        }
        Console.WriteLine();
    }

    private void PrintBars()
    {
        Bar("≥ 1.5 × Redis in GB/s at ≥ 1 MiB", one => one.Size >= MiB, (ferry, redis, _) => ferry.GigabytesPerSecond / redis.GigabytesPerSecond, least: 1.5);
        Bar("≤ 0.5 CPU-s/GB of both ends at ≥ 1 MiB", one => one.Size >= MiB, (ferry, _, _) => -ferry.CpuSecondsPerGigabyte, least: -0.5);
        Bar("≥ 85 % of the raw socket at 20 MiB", one => one.Size == 20 * MiB, (ferry, _, raw) => ferry.GigabytesPerSecond / raw.GigabytesPerSecond, least: 0.85);
        Bar("4 KiB: ≥ Redis in op/s with pipelining", one => one.Size == 4 << 10, (ferry, redis, _) => ferry.OperationsPerSecond / redis.OperationsPerSecond, least: 1);
    }

    private void Bar(string name, Func<(int Size, int Connections, bool IsSet), bool> applies, Func<FrontCell, FrontCell, FrontCell, double> value, double least)
    {
        var found = _cases.Where(applies).Select(one =>
        {
            FrontCell Of(string target) => _cells.GetValueOrDefault((one.Size, one.Connections, one.IsSet, target)) ?? new FrontCell();
            var (redis, raw) = (Of("Redis"), Of("raw socket"));
            return (one, value: value(Of("Ferry"), redis, raw), limit: value(raw, redis, raw));
        }).Where(pair => !double.IsNaN(pair.value)).ToList();
        if (found.Count == 0)
        {
            return;
        }
        var missed = found.Where(pair => pair.value < least).ToList();
        var beyond = missed.Count(pair => pair.limit < least); // A server cannot be faster than its socket.
        var worst = found.MinBy(pair => pair.value);
        Console.WriteLine($"- {name}: {found.Count - missed.Count} of {found.Count} cases; of the {missed.Count} others {beyond} in which the raw socket misses it too; "
            + $"worst {F(Math.Abs(worst.value), 2)} ({Text(worst.one.Size)}, {worst.one.Connections} connections, {(worst.one.IsSet ? "SET" : "GET")}).");
    }

    private static string Text(int size) => size >= MiB ? $"{size / MiB} MiB" : $"{size >> 10} KiB";

    private static string F(double value, int digits) => double.IsFinite(value) ? value.ToString($"F{digits}", CultureInfo.InvariantCulture) : "–";
}
