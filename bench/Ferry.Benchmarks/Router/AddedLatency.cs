namespace Ferry.Benchmarks.Router;

/// <summary>What a proxy adds to the time of a request, at 32 clients and pods that take their time, so that the machine is not the limit.</summary>
internal static class AddedLatency
{
    private const int Clients = 32;
    private const int PromptBytes = 1024;
    private const int Rounds = 3;
    private const int PrefillMs = 40;
    private const int FirstMs = 20;
    private const int TokenMs = 10;
    private const int Events = 8;

    private static readonly TimeSpan CellTime = TimeSpan.FromSeconds(3);

    public static async Task RunAsync()
    {
        using var systems = await RouterSystems.StartAsync([256, Events, PrefillMs, FirstMs, TokenMs, 0], "ferry route", "ferry route, prefix-aware", "nginx", "YARP", "Python (aiohttp)");
        using var requests = new RouterRequests();
        requests.Prepare(PromptBytes, true);
        requests.Prepare(PromptBytes, false);
        var prefill = new Uri(systems.Prefill, "/v1/completions");
        var decode = new Uri(systems.Decode, "/v1/completions");
        var direct = new Dictionary<int, List<double>> { [1] = [], [2] = [] };
        var through = systems.All.Select(_ => new List<double>()).ToArray();
        foreach (var system in systems.All)
        {
            await Load.RunAsync(Clients, TimeSpan.FromSeconds(2), () => requests.SendAsync(system.Address, PromptBytes, true));
        }
        for (var round = 0; round < Rounds; round++)
        {
            direct[1].AddRange(await Load.RunAsync(Clients, CellTime, () => requests.SendAsync(decode, PromptBytes, true)));
            direct[2].AddRange(await Load.RunAsync(Clients, CellTime, async () =>
            {
                await requests.SendAsync(prefill, PromptBytes, false);
                await requests.SendAsync(decode, PromptBytes, true);
            }));
            for (var index = 0; index < through.Length; index++)
            {
                through[index].AddRange(await Load.RunAsync(Clients, CellTime, () => requests.SendAsync(systems.All[index].Address, PromptBytes, true)));
            }
        }
        Console.WriteLine($"Added latency at {Clients} clients, 1 KB prompts, streams of {Events} events (prefill {PrefillMs} ms, first event {FirstMs} ms, {TokenMs} ms an event): percentile through the proxy less the same percentile of its legs sent directly, ms; {Rounds} alternating rounds");
        Console.WriteLine();
        Console.WriteLine("| | legs | p50 direct | added p50 | added p90 | added p99 | requests |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var (system, times) in systems.All.Zip(through))
        {
            var bare = direct[system.Legs];
            Console.WriteLine($"| {system.Name} | {system.Legs} | {Load.Percentile(bare, 0.5):F1} | {Added(0.5):F2} | {Added(0.9):F2} | {Added(0.99):F2} | {times.Count} |");

            double Added(double share) => Load.Percentile(times, share) - Load.Percentile(bare, share);
        }
        Console.WriteLine();
        Console.WriteLine("Bars for Ferry: p50 0.5 ms, p99 3 ms.");
        Console.WriteLine();
    }
}
