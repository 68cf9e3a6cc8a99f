using System.Diagnostics;
using System.Globalization;
using Ferry.Cluster.Planning.Simulation;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;
using Ferry.TestKit.Cache;
using Trace = Ferry.Cluster.Planning.Simulation.Trace;

namespace Ferry.Benchmarks;

/// <summary>Requests a second that a simulation plays, from two nodes to a hundred: docs/measurements/plan.md.</summary>
internal static class PlanBenchmark
{
    private static readonly (int Prefill, int Decode)[] Clusters = [(1, 1), (4, 4), (16, 16), (60, 40)];

    public static void Run(string[] options)
    {
        if ((options.Length > 0 ? options[0] : ConversationTrace.TryFind()) is not { } path)
        {
            Console.Error.WriteLine($"The conversation trace is not here: set {ConversationTrace.Variable} to the directory that has conversation_trace.jsonl, or give its path.");
            return;
        }
        var begun = Stopwatch.GetTimestamp();
        var trace = TraceFile.Read(path);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trace.Count} requests, {trace.BlockCount} blocks; read in {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:F0} ms; played 10 times over."));
        trace = trace.Repeat(10);
        Console.WriteLine();
        Console.WriteLine("| nodes | speed | policy | requests/s (best of 3) | CPU us a request | found | median first token |");
        Console.WriteLine("|---|---:|---|---:|---:|---:|---:|");
        foreach (var (prefill, decode) in Clusters)
        {
            foreach (var policy in (RouterPolicy[])[RouterPolicy.PrefixAware, RouterPolicy.RoundRobin])
            {
                Measure(trace, Spec(prefill, decode, policy), prefill, decode);
            }
        }
    }

    private static void Measure(Trace trace, ClusterSpec spec, int prefill, int decode)
    {
        // As much faster as the cluster is larger than the smallest that carries the trace.
        var speed = Math.Max(0.1, prefill / 6.0);
        var (best, processor, result) = (double.PositiveInfinity, 0.0, (SimulationResult?)null);
        for (var run = 0; run < 3; run++)
        {
            var (begun, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            result = ClusterSimulation.Run(spec, trace, new() { Speed = speed });
            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            if (seconds < best)
            {
                (best, processor) = (seconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
            }
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {prefill} + {decode} | {speed:0.##} | {SpecNames.Of(spec.Router.Policy)} | {trace.Count / best:N0} | {processor / trace.Count * 1e6:F1} | {1 - result!.Tiers[^1].Ratio:P1} | {result.FirstToken.Median:F2} s |"));
    }

    private static ClusterSpec Spec(int prefill, int decode, RouterPolicy policy) => new()
    {
        Name = "bench",
        Model = new() { Id = "meta-llama/Llama-3.1-70B", MaxLength = 131_072 },
        Pools =
        [
            new() { Name = "prefill", Role = PoolRole.Prefill, Accelerator = "mi300x", TensorParallel = 4, Nodes = Nodes("p", prefill) },
            new() { Name = "decode", Role = PoolRole.Decode, Accelerator = "gaudi3", TensorParallel = 4, MemoryUtilization = 0.85, Nodes = Nodes("d", decode) },
        ],
        Cache = new() { MemoryBytes = 1L << 40, DiskBytes = 4L << 40 },
        Storage = new() { S3 = new() { Endpoint = "http://s3", Bucket = "kvs" } },
        Transport = new() { Kind = TransportKind.Rdma },
        Plan = new() { StorageBytesPerSecond = 10_000_000_000, DiskBytesPerSecond = 6_000_000_000 },
        Router = new() { Policy = policy },
    };

    private static NodeSpec[] Nodes(string name, int count) => [.. Enumerable.Range(0, count).Select(index => new NodeSpec { Name = $"{name}-{index}", Address = $"{name}{index}" })];
}
