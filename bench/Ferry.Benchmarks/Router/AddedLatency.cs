using System.Diagnostics;
using Ferry.TestKit.Router;

namespace Ferry.Benchmarks.Router;

/// <summary>What a proxy adds to the time of a request while 32 are outstanding.</summary>
/// <remarks>
/// The pods hold each leg for a time that they measure themselves and tell in the answer; what the client waited longer is the way, and the same
/// way without a proxy is taken off. So neither the pods' timers nor the time that they take stand in the figure. The load is paced, not a closed
/// loop: the machine is mostly idle, and what is seen is the proxy and not a queue for two cores.
/// </remarks>
internal static class AddedLatency
{
    private const int Outstanding = 32;
    private const int PromptBytes = 1024;
    private const int Rounds = 5;
    private const int RequestsARound = 480;
    private const int WarmClients = 256;

    /// <param name="holdMs">How long a pod holds a leg. The shorter, the more requests a second: 32 of them are outstanding either way.</param>
    public static async Task RunAsync(string[] proxies, int holdMs)
    {
        using var systems = await RouterSystems.StartAsync([256, 1, holdMs, holdMs, 0, 0, 1], proxies);
        using var requests = new RouterRequests();
        requests.Prepare(PromptBytes, false);
        var (prefill, decode) = (new Uri(systems.Prefill, "/v1/completions"), new Uri(systems.Decode, "/v1/completions"));
        var ways = new List<Way>
        {
            new("direct, 1 leg", 1, index => requests.AskAsync(decode, PromptBytes, $"one-{index}")),
            new("direct, 2 legs", 2, async index =>
            {
                await requests.AskAsync(prefill, PromptBytes, $"two-{index}");
                return await requests.AskAsync(decode, PromptBytes, $"two-{index}");
            }),
        };
        ways.AddRange(systems.All.Select(system => new Way(system.Name, system.Legs, _ => requests.AskAsync(system.Address, PromptBytes, null)) { Proxy = system.Process }));
        await WarmAsync(systems, ways, holdMs);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var way in ways)
            {
                await MeasureAsync(way, holdMs);
            }
        }
        Print(ways, holdMs);
        foreach (var missing in systems.Missing)
        {
            Console.WriteLine($"Not measured: {missing}.");
        }
    }

    /// <summary>Until nobody compiles any more: a thread that does holds one of few cores for milliseconds, and that is not what a server's hundredth request waits for after a day.</summary>
    private static async Task WarmAsync(RouterSystems systems, List<Way> ways, int holdMs)
    {
        foreach (var way in ways)
        {
            await Load.RunAsync(WarmClients, TimeSpan.FromSeconds(3), () => way.AskAsync(Interlocked.Increment(ref way.Asked)));
        }
        // And as it is measured: what is called now and then only is compiled when it has been called often enough.
        await CompilingThread.UntilIdleAsync(
            () => systems.All.Aggregate(CompilingThread.CpuOf(Environment.ProcessId) + systems.Pods.CompilingCpu(), (sum, system) => sum + system.Process.CompilingCpu()),
            async () =>
            {
                foreach (var way in ways)
                {
                    await MeasureAsync(way, holdMs);
                }
            });
        foreach (var way in ways)
        {
            way.Waited.Clear();
            way.InFlight.Clear();
            way.Cpu = TimeSpan.Zero;
        }
    }

    private static async Task MeasureAsync(Way way, int holdMs)
    {
        var gap = TimeSpan.FromMilliseconds((double)holdMs * way.Legs / Outstanding);
        var before = way.Proxy?.Cpu() ?? TimeSpan.Zero;
        var (waited, inFlight) = await Load.PacedAsync(RequestsARound, gap, async _ =>
        {
            var sent = Stopwatch.GetTimestamp();
            var answer = await way.AskAsync(Interlocked.Increment(ref way.Asked));
            var elapsed = Stopwatch.GetElapsedTime(sent);
            var held = HeldTimes.Read(answer) ?? throw new InvalidOperationException($"{way.Name}: the answer does not tell how long it was held.");
            return (elapsed - held).TotalMilliseconds;
        });
        way.Waited.AddRange(waited);
        way.InFlight.Add(inFlight);
        way.Cpu += (way.Proxy?.Cpu() ?? TimeSpan.Zero) - before;
    }

    private static void Print(List<Way> ways, int holdMs)
    {
        Console.WriteLine($"Added latency, 1 KB prompts, about {Outstanding} requests outstanding: pods hold each leg {holdMs} ms and tell how long they did; what a client waits longer, less the same percentile "
            + $"of the same legs without a proxy, ms; {Rounds} alternating rounds of {RequestsARound} paced requests. Bars for Ferry: p50 0.5 ms, p99 3 ms.");
        Console.WriteLine();
        Console.WriteLine("| way | legs | outstanding | waited p50 | p99 | added p50 | added p90 | added p99 | the proxy's CPU ms a request | requests |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var way in ways)
        {
            var direct = ways.First(other => other.Legs == way.Legs);
            Console.WriteLine($"| {way.Name} | {way.Legs} | {way.InFlight.Average():F0} | {At(way, 0.5):F2} | {At(way, 0.99):F2} | {Added(0.5)} | {Added(0.9)} | {Added(0.99)} | {(way.Proxy is null ? "" : $"{way.Cpu.TotalMilliseconds / way.Waited.Count:F2}")} | {way.Waited.Count} |");

            string Added(double share) => ReferenceEquals(way, direct) ? "" : $"{At(way, share) - At(direct, share):F2}";
        }
        Console.WriteLine();

        static double At(Way way, double share) => Load.Percentile(way.Waited, share);
    }

    /// <summary>A way to the pods, and how much longer than they held them its requests took, ms.</summary>
    private sealed class Way(string name, int legs, Func<int, Task<byte[]>> askAsync)
    {
        public int Asked;

        public string Name { get; } = name;

        public int Legs { get; } = legs;

        public Func<int, Task<byte[]>> AskAsync { get; } = askAsync;

        /// <summary>Null: there is none in between.</summary>
        public MeasuredProcess? Proxy { get; init; }

        /// <summary>What the proxy took of the processors for the requests that <see cref="Waited"/> counts.</summary>
        public TimeSpan Cpu { get; set; }

        public List<double> Waited { get; } = [];

        public List<double> InFlight { get; } = [];
    }
}
