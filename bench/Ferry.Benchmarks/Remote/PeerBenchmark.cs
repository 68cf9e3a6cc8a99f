using System.Text;
using Ferry.Benchmarks.Fronts;
using Ferry.Cache;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks.Remote;

/// <summary>
/// The chunks of a prompt, which one exchange has in memory, loaded by another into its own, proved and ready to serve; beside a bare socket that moves as many
/// bytes over as many connections into warm memory and looks at none. Loopback, alternating rounds of one run.
/// </summary>
internal static class PeerBenchmark
{
    private const int Chunks = 32; // 8,192 tokens in chunks of 256.
    private const int Rounds = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1); // What is measured is speed.

    public static void Run(string[] args) => RunAsync().GetAwaiter().GetResult();

    private static async Task RunAsync()
    {
        Console.WriteLine("| chunks | at a time | from a peer s | GB/s | bare socket s | GB/s | peer ÷ socket (least–greatest) | CPU-s/GB both ends: peer | socket | found in ms |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var (name, bytes) in new[] { ("32 × 2.5 MiB", 5 << 19), ("32 × 20 MiB", 20 << 20) })
        {
            foreach (var atATime in new[] { 1, 4 })
            {
                await MeasureAsync(name, bytes, atATime);
            }
        }
    }

    private static async Task MeasureAsync(string name, int chunkBytes, int atATime)
    {
        var memoryBytes = (Chunks + 2L) * (chunkBytes + (1 << 16));
        using var owner = BenchServer.Self("exchange", "fronts-server", $"{memoryBytes}");
        using var bare = BenchServer.Self("bare socket", "fronts-raw");
        using (var put = new RespLoad(owner.Port, chunkBytes, 1))
        {
            for (var chunk = 0; chunk < Chunks; chunk++)
            {
                put.Set(chunk, 1);
            }
        }
        var keys = Enumerable.Range(0, Chunks).Select(chunk => ClientKeys.Opaque(Encoding.ASCII.GetBytes(RespLoad.Name(chunkBytes, chunk)))).ToArray();
        var tier = new PeerTier(new PeerTierOptions { Host = "127.0.0.1", Port = owner.Port, AnswerTimeout = Patience, StallTimeout = Patience }, "bench", TimeProvider.System, NullLogger<PeerTier>.Instance);
        var memory = new RecordStore(
            new KvArena(new KvArenaOptions { CapacityBytes = memoryBytes }), EvictionPolicies.Create(EvictionPolicies.Default), new RecordPins(TimeProvider.System), NullLogger<RecordStore>.Instance);
        await using var cache = new RecordCache(memory, [tier], new RecordCacheOptions { ReadsPerChain = atATime, Guard = new TierGuardOptions { Deadline = Patience } }, TimeProvider.System, NullLoggerFactory.Instance);
        var sockets = Enumerable.Range(0, atATime).Select(_ => new RawLoad(bare.Port, chunkBytes)).ToArray();
        var (ownerCpu, bareCpu, finding) = (0.0, 0.0, new List<double>());
        var run = await AlternatingRun.RunAsync(Rounds,
            async round =>
            {
                var before = owner.CpuSeconds;
                memory.Clear();
                finding.Add((await LoadAsync(cache, keys)).TotalMilliseconds);
                ownerCpu += round < 0 ? 0 : owner.CpuSeconds - before;
            },
            async round =>
            {
                var before = bare.CpuSeconds;
                await Task.WhenAll(sockets.Select((socket, index) => Task.Factory.StartNew(() =>
                {
                    for (var chunk = index; chunk < Chunks; chunk += sockets.Length)
                    {
                        socket.Get(chunk, 1);
                    }
                }, TaskCreationOptions.LongRunning)));
                bareCpu += round < 0 ? 0 : bare.CpuSeconds - before;
            });
        Array.ForEach(sockets, socket => socket.Dispose());
        var gigabytes = (double)Chunks * chunkBytes / 1e9;
        var (median, least, greatest) = run.SpeedAgainst(1);
        Console.WriteLine($"| {name} | {atATime} | {run.Seconds(0):F3} | {gigabytes / run.Seconds(0):F2} | {run.Seconds(1):F3} | {gigabytes / run.Seconds(1):F2} | {median:F2} ({least:F2}–{greatest:F2}) "
            + $"| {(run.CpuSeconds(0) + (ownerCpu / Rounds)) / gigabytes:F2} | {(run.CpuSeconds(1) + (bareCpu / Rounds)) / gigabytes:F2} | {finding.Order().ElementAt(finding.Count / 2):F2} |");
    }

    /// <returns>Time of the look-up alone: one question for all chunks.</returns>
    private static async Task<TimeSpan> LoadAsync(RecordCache cache, KvKey[] keys)
    {
        var begun = TimeProvider.System.GetTimestamp();
        var lookup = await cache.LookUpAsync(keys, _ => ChunkQuery.Opaque, CancellationToken.None);
        var finding = TimeProvider.System.GetElapsedTime(begun);
        var hits = await cache.LoadAsync(lookup, all: true, CancellationToken.None);
        foreach (var hit in hits)
        {
            hit.Dispose();
        }
        return hits.Count == keys.Length ? finding : throw new InvalidOperationException($"{hits.Count} of {keys.Length} chunks came.");
    }
}
