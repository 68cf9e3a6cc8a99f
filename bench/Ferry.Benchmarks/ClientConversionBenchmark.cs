using System.Diagnostics;
using System.Globalization;
using Ferry.Cache;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Kv.Layout;
using Ferry.Kv.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks;

/// <summary>
/// What a client of another tensor-parallel size waits for inside the exchange: GET through <see cref="ClientStore"/>, which finds the shards and
/// makes the client's, alternating with memory copies of as many bytes; and what a client of the same shape pays for all that.
/// </summary>
internal static unsafe class ClientConversionBenchmark
{
    private const double LayoutBar = 0.60;
    private const double CastBar = 0.40; // As for the plans alone: docs/measurements/conversion.md.
    private const string Model = "meta-llama/Llama-3.1-70B";
    private const string Hash = "6309ed506b8721905753f5c73c070bb21c3aafbd9b474b1e231f41368b71123c";

    private sealed record Case(string Name, int From, int To, string FromDType, string ToDType, int Layers, double Bar = LayoutBar);

    public static void Run(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 25;
        Console.WriteLine($"{rounds} alternating rounds, one thread, .NET {Environment.Version}");
        Console.WriteLine();
        Console.WriteLine("| GET through the client store | read + written MiB | ms median | GB/s best | copy GB/s best | ratio best | ratio median | bar |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        // Shards of 20 MiB on the side that is larger: 80 layers, 2 heads of 128, 256 tokens, bf16.
        Measure(new Case("TP4 → TP8, 20 MiB shards", 4, 8, "bfloat16", "bfloat16", 160), rounds);
        Measure(new Case("TP4 → TP8, from 20 MiB to 10 MiB", 4, 8, "bfloat16", "bfloat16", 80), rounds);
        Measure(new Case("TP8 → TP4, 20 MiB shards", 8, 4, "bfloat16", "bfloat16", 80), rounds);
        Measure(new Case("TP8 → TP4, from 20 MiB to 40 MiB", 8, 4, "bfloat16", "bfloat16", 160), rounds);
        Measure(new Case("TP4 → TP4, bf16 → fp16", 4, 4, "bfloat16", "half", 80, CastBar), rounds);
        Console.WriteLine();
        Console.WriteLine("| GET of the same shape | value | µs median |");
        Console.WriteLine("|---|---|---|");
        MeasureSame(rounds);
    }

    private static void Measure(Case item, int rounds)
    {
        using var arena = new KvArena(new KvArenaOptions { CapacityBytes = 512L << 20 });
        var (store, memory) = Open(arena, item.Layers);
        using (store)
        {
            for (var rank = 0; rank < item.From; rank++)
            {
                Put(store, Key(rank, item.From, item.FromDType), (int)Shape(item.Layers).ForRank(rank, item.From).PayloadBytes, rank);
            }
            var valueBytes = Shape(item.Layers).ForRank(0, item.To).PayloadBytes;
            using var copySource = new AlignedBytes(valueBytes, seed: 3);
            using var copyTarget = new AlignedBytes(valueBytes, seed: 4);
            var (gets, copies) = (new double[rounds], new double[rounds]);
            var key = (ReadOnlyMemory<byte>)Key(1, item.To, item.ToDType);
            for (var round = -3; round < rounds; round++)
            {
                var get = Time(() => Get(store, key, valueBytes));
                var copy = Time(() => Buffer.MemoryCopy(copySource.Pointer, copyTarget.Pointer, valueBytes, valueBytes));
                if (round >= 0) { (gets[round], copies[round]) = (get, copy); }
            }
            var ratios = gets.Zip(copies, (get, copy) => copy / get).Order().ToArray();
            var moved = 2 * valueBytes;
            Console.WriteLine(
                $"| {item.Name} | {moved / 1048576.0:F0} | {gets.Order().ElementAt(rounds / 2) * 1e3:F2} | {moved / gets.Min() / 1e9:F1} | {moved / copies.Min() / 1e9:F1} " +
                $"| {copies.Min() / gets.Min():P0} | {ratios[rounds / 2]:P0} | {item.Bar:P0} {(ratios[rounds / 2] >= item.Bar ? "met" : "short")} |");
        }
        memory.Dispose();
    }

    /// <summary>The cost beyond the bytes themselves, which are not touched: it does not grow with the value.</summary>
    private static void MeasureSame(int rounds)
    {
        using var arena = new KvArena(new KvArenaOptions { CapacityBytes = 128L << 20 });
        var (store, memory) = Open(arena, 80);
        using (store)
        {
            var valueBytes = (int)Shape(80).ForRank(0, 4).PayloadBytes;
            Put(store, Key(0, 4, "bfloat16"), valueBytes, 0);
            Put(store, "plain"u8.ToArray(), 4096, 0);
            foreach (var (name, key, bytes) in ((string, byte[], int)[])[("a shard of a model with a card", Key(0, 4, "bfloat16"), valueBytes), ("a plain key", "plain"u8.ToArray(), 4096)])
            {
                const int Repeats = 2000;
                var times = new double[rounds];
                for (var round = -3; round < rounds; round++)
                {
                    var time = Time(() =>
                    {
                        for (var repeat = 0; repeat < Repeats; repeat++) { Get(store, key, bytes); }
                    });
                    if (round >= 0) { times[round] = time / Repeats; }
                }
                Console.WriteLine($"| {name} | {bytes} B | {times.Order().ElementAt(rounds / 2) * 1e6:F2} |");
            }
        }
        memory.Dispose();
    }

    private static (ClientStore Store, RecordStore Memory) Open(KvArena arena, int layers)
    {
        var memory = new RecordStore(arena, EvictionPolicies.Create(EvictionPolicies.Default), new RecordPins(TimeProvider.System), NullLogger<RecordStore>.Instance);
        var cache = new RecordCache(memory, [], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        var card = new ModelCard(Model) { Layers = layers, KvHeads = 8, HeadDim = 128, DType = KvDType.BFloat16, TensorParallelSizes = [4, 8] };
        return (new ClientStore(
            cache, new ModelCards([card]), new ClientStoreOptions(), new ClientMetrics(new MetricRegistry()), TimeProvider.System, NullLogger<ClientStore>.Instance), memory);
    }

    private static KvLayout Shape(int layers) => new()
    {
        Layers = layers,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 128,
        Tokens = 256,
        BlockTokens = 0,
        DType = KvDType.BFloat16,
        Order = KvOrder.TwoLtd,
        Packing = KvPacking.Split,
    };

    private static byte[] Key(int rank, int worldSize, string dtype) => System.Text.Encoding.UTF8.GetBytes($"{Model}@{worldSize}@{rank}@{Hash}@{dtype}");

    private static void Put(ClientStore store, byte[] key, int valueBytes, int seed)
    {
        if (store.BeginPut(key, valueBytes, [], out var write) != ClientPutOutcome.Ready || write is null)
        {
            throw new InvalidOperationException("The store took no value.");
        }
        using (write)
        {
            // Small finite numbers, so that casts do what they do with real KV.
            var random = new Random(seed);
            random.NextBytes(write.Bytes.Span);
            for (var index = 1; index < valueBytes; index += 2) { write.Bytes.Span[index] = (byte)(0x3C | (write.Bytes.Span[index] & 0x81)); }
            write.Advance(valueBytes);
            var done = write.CommitAsync(CancellationToken.None);
            Debug.Assert(done.IsCompletedSuccessfully);
        }
    }

    private static void Get(ClientStore store, ReadOnlyMemory<byte> key, long valueBytes)
    {
        var found = store.TryGetAsync(key, CancellationToken.None);
        using var value = found.IsCompletedSuccessfully ? found.GetAwaiter().GetResult() : throw new InvalidOperationException("Memory alone must answer at once.");
        if (value?.Bytes.Length != valueBytes)
        {
            throw new InvalidOperationException("The store gave no value of that length.");
        }
    }

    private static double Time(Action action)
    {
        var start = ThreadCpuClock.Now();
        action();
        return (ThreadCpuClock.Now() - start).TotalSeconds;
    }
}
