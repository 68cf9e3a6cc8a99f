using System.Diagnostics;

namespace Ferry.Benchmarks.Fronts;

/// <summary>The fronts beside Redis, Garnet and a bare socket, each a process of its own, under one load generator, in alternating rounds of one run.</summary>
internal static class FrontsBenchmark
{
    private const int Rounds = 3;
    private const int PipelineDepth = 32; // Of the small values; the others wait for each answer, as LMCache's clients do.
    private const int SmallBytes = 4 << 10;
    private const long MemoryBytes = 3L << 30;
    private const long WorkingSetBytes = 160L << 20;
    private const int CellMilliseconds = 150;

    /// <summary>Each connection ends what it began. Who takes so long for it is measured once, or the run would not end in minutes.</summary>
    private const double SlowSeconds = 2;

    /// <summary>On a busy machine the cases that come after this have one round each.</summary>
    private static readonly TimeSpan ManyRoundsUntil = TimeSpan.FromSeconds(100);

    private static readonly int[] AllSizes = [SmallBytes, 64 << 10, 1 << 20, 20 << 20, 80 << 20];
    private static readonly int[] AllConnections = [1, 4, 16];

    /// <param name="args"><c>sizes=20971520,1048576</c>, <c>connections=1,4</c>, <c>rounds=5</c>, <c>garnet=PATH</c> narrow or widen the run, as does <c>only=Ferry,Redis</c>; <c>before=Ferry.Benchmarks.dll</c> of another build runs beside this one; <c>cell=3000</c> is the milliseconds of a round, long enough for a profiler.</param>
    public static void Run(string[] args)
    {
        var sizes = Numbers(args, "sizes") ?? AllSizes;
        var connections = Numbers(args, "connections") ?? AllConnections;
        var rounds = Numbers(args, "rounds")?[0] ?? Rounds;
        var cell = TimeSpan.FromMilliseconds(Numbers(args, "cell")?[0] ?? CellMilliseconds);
        using var ferry = BenchServer.Self("Ferry", "fronts-server", $"{MemoryBytes}");
        using var before = Text(args, "before") is { } dll ? BenchServer.OfBuild("Ferry before", dll, "fronts-server", $"{MemoryBytes}") : null;
        using var raw = BenchServer.Self("raw socket", "fronts-raw");
        using var redis = BenchServer.TryOther("Redis", "redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxmemory", $"{MemoryBytes}");
        using var garnet = BenchServer.TryOther("Garnet", GarnetProgram.Find(args), "--port", "{port}", "--bind", "127.0.0.1", "-m", "4g");
        FrontTarget[] targets =
        [
            new("Ferry", ferry, (size, depth) => new RespLoad(ferry.Port, size, depth)),
            new("Ferry lm://", ferry, (size, _) => new LmLoad(ferry.SecondPort, size)),
            .. Other(before),
            .. Other(redis),
            .. Other(garnet),
            new("raw socket", raw, (size, _) => new RawLoad(raw.Port, size)),
        ];
        if (Text(args, "only")?.Split(',') is { } only)
        {
            targets = [.. targets.Where(target => only.Contains(target.Name, StringComparer.Ordinal))];
        }
        Console.Error.WriteLine(string.Join("; ", targets.Select(target => target.Name)) + (garnet is null ? "; Garnet is not installed" : "") + (redis is null ? "; Redis is not installed" : ""));
        var report = new FrontsReport(targets, MemoryCopyGigabytesPerSecond());
        report.PrintHead(PipelineDepth, rounds, cell);
        var running = Stopwatch.StartNew();
        foreach (var size in sizes)
        {
            foreach (var target in targets)
            {
                Fill(target, size);
            }
            foreach (var connectionCount in connections)
            {
                Measure(report, targets, size, connectionCount, rounds, cell, running);
            }
        }
        report.PrintFoot();
    }

    private static IEnumerable<FrontTarget> Other(BenchServer? server) =>
        server is null ? [] : [new FrontTarget(server.Name, server, (size, depth) => new RespLoad(server.Port, size, depth))];

    private static int[]? Numbers(string[] args, string name) =>
        Text(args, name) is { } found ? [.. found.Split(',').Select(int.Parse)] : null;

    private static string? Text(string[] args, string name) => args.FirstOrDefault(argument => argument.StartsWith(name + '=', StringComparison.Ordinal))?[(name.Length + 1)..];

    private static int Keys(int size) => (int)Math.Max(2, WorkingSetBytes / size);

    private static int Depth(int size) => size == SmallBytes ? PipelineDepth : 1;

    private static void Fill(FrontTarget target, int size)
    {
        using var load = target.Connect(size, Depth(size));
        for (var key = 0; key < Keys(size); key += Depth(size))
        {
            load.Set(key, Depth(size));
        }
    }

    private static void Measure(FrontsReport report, FrontTarget[] targets, int size, int connectionCount, int rounds, TimeSpan cell, Stopwatch running)
    {
        var loads = targets.Select(target => Enumerable.Range(0, connectionCount).Select(_ => target.Connect(size, Depth(size))).ToArray()).ToArray();
        var slow = new HashSet<(int Target, bool IsSet)>();
        foreach (var isSet in (bool[])[false, true])
        {
            foreach (var (target, own) in targets.Zip(loads))
            {
                Take(target, own, size, isSet, cell); // Not counted: memory is touched for the first time, and code that is compiled while it runs gets its last form.
            }
            for (var round = 0; round < rounds; round++)
            {
                for (var turn = 0; turn < targets.Length; turn++)
                {
                    var index = (turn + round) % targets.Length; // Nobody is always first.
                    if (slow.Contains((index, isSet)) || (round > 0 && running.Elapsed > ManyRoundsUntil))
                    {
                        continue;
                    }
                    var sample = Take(targets[index], loads[index], size, isSet, cell);
                    report.Add(size, connectionCount, isSet, targets[index], sample);
                    if (sample.Seconds > SlowSeconds)
                    {
                        slow.Add((index, isSet));
                    }
                }
            }
            report.PrintCase(size, connectionCount, isSet);
        }
        foreach (var load in loads.SelectMany(pair => pair))
        {
            load.Dispose();
        }
    }

    private static (long Operations, double Seconds, double ClientCpu, double ServerCpu) Take(FrontTarget target, LoadConnection[] loads, int size, bool isSet, TimeSpan cell)
    {
        using var self = Process.GetCurrentProcess();
        var (clientCpu, serverCpu) = (self.TotalProcessorTime.TotalSeconds, target.Server.CpuSeconds);
        var clock = Stopwatch.StartNew();
        long operations = 0;
        var threads = loads.Select((load, index) => new Thread(() => Interlocked.Add(ref operations, Loop(load, index, loads.Length, size, isSet, cell, clock)))).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }
        foreach (var thread in threads)
        {
            thread.Join();
        }
        var seconds = clock.Elapsed.TotalSeconds;
        self.Refresh();
        return (operations, seconds, self.TotalProcessorTime.TotalSeconds - clientCpu, target.Server.CpuSeconds - serverCpu);
    }

    private static long Loop(LoadConnection load, int index, int connectionCount, int size, bool isSet, TimeSpan cell, Stopwatch clock)
    {
        var depth = Depth(size);
        var groups = Keys(size) / depth;
        long done = 0;
        for (var turn = index; clock.Elapsed < cell || done == 0; turn += connectionCount)
        {
            var key = turn % groups * depth;
            if (isSet)
            {
                load.Set(key, depth);
            }
            else
            {
                load.Get(key, depth);
            }
            done += depth;
        }
        return done;
    }

    private static double MemoryCopyGigabytesPerSecond()
    {
        var source = new byte[WorkingSetBytes];
        var target = new byte[WorkingSetBytes];
        source.AsSpan().Fill(1);
        source.CopyTo(target.AsSpan());
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < Rounds; round++)
        {
            source.CopyTo(target.AsSpan());
        }
        return Rounds * WorkingSetBytes / 1e9 / clock.Elapsed.TotalSeconds;
    }
}
