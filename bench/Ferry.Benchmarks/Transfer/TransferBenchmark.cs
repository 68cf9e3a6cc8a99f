using Ferry.Transfer;
using Ferry.Transfer.Media;
using Ferry.Transfer.Probe;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;

namespace Ferry.Benchmarks.Transfer;

/// <summary>
/// Reads and writes by each managed medium beside what bounds it, in alternating rounds of one run; round trips of notifications; and growth in
/// peers and descriptors. All ends are in this process, so CPU seconds are those of both.
/// </summary>
internal static class TransferBenchmark
{
    private const int ArenaBytes = 256 << 20; // larger than any last-level cache here: every byte is cold
    private const int MiB = 1 << 20;

    private static TimeSpan _round = TimeSpan.FromSeconds(0.25);
    private static int _rounds = 7;
    private static string[] _titles = [];

    /// <summary>
    /// Arguments: seconds of a round, rounds; then parts to run (tcp, shm, mapped, notify, growth), all if none is named; then pieces of cells' titles, to run no others.
    /// </summary>
    public static void Run(string[] args)
    {
        var numbers = args.TakeWhile(one => double.TryParse(one, out _)).Select(double.Parse).ToArray();
        _round = numbers.Length > 0 ? TimeSpan.FromSeconds(numbers[0]) : _round;
        _rounds = numbers.Length > 1 ? (int)numbers[1] : _rounds;
        string[] known = ["tcp", "shm", "mapped", "notify", "growth"];
        _titles = [.. args[numbers.Length..].Except(known)];
        RunAsync([.. args[numbers.Length..].Intersect(known)]).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(string[] parts)
    {
        Console.WriteLine($"Median of {_rounds} rounds of {_round.TotalSeconds} s; arenas of {ArenaBytes / MiB} MiB; 2 streams.");
        foreach (var (name, medium, memory) in new (string, Func<DataMedium>?, ProbeMemory)[]
        {
            ("tcp", null, ProbeMemory.Private),
            ("shm", static () => new SharedMemoryMedium(), ProbeMemory.Private),
            ("mapped", static () => new SharedMemoryMedium(), ProbeMemory.Shared),
        })
        {
            if (parts.Length == 0 || parts.Contains(name))
            {
                await MeasureAsync(name, medium, memory);
            }
        }
        if (parts.Length == 0 || parts.Contains("notify"))
        {
            await NotificationTrips.MeasureAsync();
        }
        if (parts.Length == 0 || parts.Contains("growth"))
        {
            await TransferGrowth.MeasureAsync(_round, _rounds);
        }
    }

    private static async Task MeasureAsync(string name, Func<DataMedium>? medium, ProbeMemory memory)
    {
        (string Name, ProbeCell Cell)[] cells =
        [
            .. from direction in new[] { TransferDirection.Read, TransferDirection.Write }
               from bytes in new long[] { 64 << 10, MiB, 20 * MiB, 84 * MiB } from depth in new[] { 1, 4 }
               select ($"{direction.ToString().ToUpperInvariant()} {(bytes < MiB ? "64 KiB" : $"{bytes / MiB} MiB")}, {depth} in flight", new ProbeCell(direction, bytes, depth, _round)),
            ("READ 320 × 64 KiB scattered, 1 in flight", new ProbeCell(TransferDirection.Read, 20 * MiB, 1, _round, Pieces: 320)),
            ("READ 320 × 64 KiB scattered, 4 in flight", new ProbeCell(TransferDirection.Read, 20 * MiB, 4, _round, Pieces: 320)),
        ];
        Console.WriteLine();
        Console.WriteLine($"| {name} | GB/s | {(medium is null ? "raw sockets" : "plain copies")} GB/s | ratio (min–max) | CPU-s/GB, both ends | limit's CPU-s/GB | p50 µs | p99 µs |{(medium is null ? " awaited sockets GB/s | ratio to those |" : "")}");
        Console.WriteLine($"|---|---:|---:|---:|---:|---:|---:|---:|{(medium is null ? "---:|---:|" : "")}");
        await using var owner = await StartAsync("owner", medium, ArenaBytes);
        await using var asker = await StartAsync("asker", medium, 0);
        await using var peer = (await asker.ConnectAsync(owner.Endpoint, CancellationToken.None)).Peer!;
        await using var probe = (await TransferProbe.OpenAsync(asker, peer, ArenaBytes, memory, TimeProvider.System, CancellationToken.None)).Probe!;
        using var source = new ProbeArena(ArenaBytes, memory);
        using var target = new ProbeArena(ArenaBytes, memory);
        using var raw = medium is null ? new RawSocketLimit(2, source, target) : null;
        using var awaited = medium is null ? new AwaitedSocketLimit(2, source, target) : null;
        foreach (var (title, cell) in cells.Where(cell => _titles.Length == 0 || _titles.Any(cell.Name.Contains)))
        {
            var (samples, limits, awaitedOnes) = (new List<ProbeSample>(), new List<ProbeSample>(), new List<ProbeSample>());
            for (var round = -1; round < _rounds; round++)
            {
                var first = round % 2 == 0 ? await LimitAsync() : null;
                var sample = await probe.RunAsync(cell, null, CancellationToken.None);
                var limit = first ?? await LimitAsync();
                var awaitedOne = awaited is null ? null : await awaited.RunAsync(cell.Bytes, cell.Depth, _round);
                if (sample.Failure is { } failure)
                {
                    throw new InvalidOperationException(failure.ToString());
                }
                if (round >= 0) // the first warms up
                {
                    samples.Add(sample);
                    limits.Add(limit);
                    if (awaitedOne is not null)
                    {
                        awaitedOnes.Add(awaitedOne);
                    }
                }
            }
            Print(title, samples, limits, awaitedOnes);

            Task<ProbeSample> LimitAsync() => raw is not null
                ? raw.RunAsync(cell.Bytes, cell.Depth, _round, TimeProvider.System, CancellationToken.None)
                : CopyLimit.RunAsync(source, target, cell.Bytes, Math.Min(2, cell.Depth), _round, TimeProvider.System, CancellationToken.None);
        }
    }

    private static void Print(string title, List<ProbeSample> samples, List<ProbeSample> limits, List<ProbeSample> awaited)
    {
        var ratios = Ratios(samples, limits);
        var toAwaited = awaited.Count == 0 ? "" : $" {awaited.Select(one => one.GigabytesPerSecond).Median():F2} | {Ratios(samples, awaited).Median():F2} |";
        Console.WriteLine(
            $"| {title} | {samples.Select(one => one.GigabytesPerSecond).Median():F2} | {limits.Select(one => one.GigabytesPerSecond).Median():F2} "
            + $"| {ratios.Median():F2} ({ratios[0]:F2}–{ratios[^1]:F2}) | {samples.Select(CpuPerGigabyte).Median():F2} | {limits.Select(CpuPerGigabyte).Median():F2} "
            + $"| {samples.Select(one => one.Latency(0.5).TotalMicroseconds).Median():F0} | {samples.Select(one => one.Latency(0.99).TotalMicroseconds).Median():F0} |{toAwaited}");
    }

    private static double[] Ratios(List<ProbeSample> samples, List<ProbeSample> limits) =>
        [.. samples.Zip(limits, (sample, limit) => sample.GigabytesPerSecond / limit.GigabytesPerSecond).Order()];

    private static double CpuPerGigabyte(ProbeSample sample) => sample.CpuTime.TotalSeconds / (sample.Bytes / 1e9);

    private static Task<TcpTransferAgent> StartAsync(string engineId, Func<DataMedium>? medium, long lends) => TcpTransferAgent.StartAsync(
        new TcpAgentOptions
        {
            EngineId = engineId,
            Port = 0,
            ProbeBytes = lends,
            Media = medium is null ? [] : [medium()],
            AllowBytesOverTcp = medium is null,
        }, CancellationToken.None);
}
