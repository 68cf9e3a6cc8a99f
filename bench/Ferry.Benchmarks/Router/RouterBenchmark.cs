namespace Ferry.Benchmarks.Router;

/// <summary>The router's cost: processor time a request beside nginx, a bare YARP and a Python proxy; added latency; memory of idle streams.</summary>
internal static class RouterBenchmark
{
    private const int Rounds = 2;
    private const int Blocks = 256;   // of 16 tokens: about a 16 KB prompt; a reply of 2 KB
    private const int Events = 16;

    private static readonly string[] Names = ["ferry route", "ferry route, prefix-aware", "nginx", "YARP", "Python (aiohttp)"];
    private const int WarmClients = 8;

    private static readonly TimeSpan s_warmTime = TimeSpan.FromMilliseconds(500);
    private static TimeSpan s_cellTime = TimeSpan.FromMilliseconds(700);

    /// <summary>Options: one of the parts (cpu, latency, idle); --systems A|B|…; --cells few (32 clients) or one (client); --seconds of a cell; --rounds; --hold of the latency's legs, ms.</summary>
    public static void Run(string[] args) => RunAsync(args).GetAwaiter().GetResult();

    private static async Task RunAsync(string[] args)
    {
        s_cellTime = Option(args, "--seconds") is { } seconds ? TimeSpan.FromSeconds(double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture)) : s_cellTime;
        var all = !args.Any(part => part is "cpu" or "latency" or "idle");
        if (all || args.Contains("cpu"))
        {
            await CpuAsync(Option(args, "--systems")?.Split('|') ?? Names, Option(args, "--cells"), Option(args, "--rounds") is { } rounds ? int.Parse(rounds, System.Globalization.CultureInfo.InvariantCulture) : Rounds);
        }
        if (all || args.Contains("latency"))
        {
            await AddedLatency.RunAsync(Option(args, "--systems")?.Split('|') ?? Names, int.Parse(Option(args, "--hold") ?? "100", System.Globalization.CultureInfo.InvariantCulture));
        }
        if (all || args.Contains("idle"))
        {
            await IdleStreams.RunAsync();
        }
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

    private static async Task CpuAsync(string[] names, string? cellNames, int rounds)
    {
        using var systems = await RouterSystems.StartAsync([Blocks, Events, 0, 0, 0, 0, 0], names);
        using var requests = new RouterRequests();
        foreach (var bytes in (int[])[1024, 220 << 10])
        {
            requests.Prepare(bytes, false);
            requests.Prepare(bytes, true);
        }
        foreach (var system in systems.All)
        {
            await WarmAsync(system, requests);
        }
        Console.WriteLine($"Processor time of the proxy's process, ms a request, median of {rounds} alternating rounds; two legs through Ferry and Python, one through nginx and YARP. Streams have {Events} events.");
        Console.WriteLine();
        Console.WriteLine($"| prompt | answer | clients | {string.Join(" | ", systems.All.Select(system => system.Name))} |");
        Console.WriteLine($"|---|---|---:|{string.Concat(systems.All.Select(_ => "---:|"))}");
        foreach (var (bytes, label) in ((int, string)[])[(1024, "1 KB"), (32 << 10, "32 KB"), (220 << 10, "220 KB")])
        {
            foreach (var streams in (bool[])[false, true])
            {
                requests.Prepare(bytes, streams);
                foreach (var clients in (int[])[1, 32, 256])
                {
                    if (cellNames is not null && (clients != (cellNames == "one" ? 1 : 32) || bytes == 32 << 10))
                    {
                        continue;
                    }
                    var cells = systems.All.Select(_ => new List<double>()).ToArray();
                    for (var round = 0; round < rounds; round++)
                    {
                        for (var index = 0; index < systems.All.Count; index++)
                        {
                            cells[index].Add(await CellAsync(systems.All[index], requests, bytes, streams, clients));
                        }
                    }
                    Console.WriteLine($"| {label} | {(streams ? "stream" : "whole")} | {clients} | {string.Join(" | ", cells.Select(cell => $"{Load.Percentile(cell, 0.5):F3}"))} |");
                }
            }
        }
        Console.WriteLine();
        foreach (var missing in systems.Missing)
        {
            Console.WriteLine($"Not measured: {missing}.");
        }
        Console.WriteLine("Bars: 0.20 ms at 1 KB and 0.6 ms at 220 KB, both legs and prefix-aware choice.");
        Console.WriteLine();
    }

    /// <summary>Requests of all kinds until the runtime has compiled what they use: a server runs for weeks, its first seconds are not what is measured.</summary>
    private static Task WarmAsync(RouterSystems.One system, RouterRequests requests) => CompilingThread.UntilIdleAsync(system.Process.CompilingCpu, async () =>
    {
        foreach (var (bytes, streams) in ((int, bool)[])[(1024, false), (1024, true), (220 << 10, false), (220 << 10, true)])
        {
            await Load.RunAsync(WarmClients, s_warmTime, () => requests.SendAsync(system.Address, bytes, streams));
        }
    });

    private static async Task<double> CellAsync(RouterSystems.One system, RouterRequests requests, int bytes, bool streams, int clients)
    {
        var before = system.Process.Cpu();
        var times = await Load.RunAsync(clients, s_cellTime, () => requests.SendAsync(system.Address, bytes, streams));
        return (system.Process.Cpu() - before).TotalMilliseconds / times.Count;
    }
}
