using Ferry.Cache;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Cache.Remote.Lm;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Resp;
using Ferry.Kv.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks.Fronts;

/// <summary>The fronts alone in a process, over a memory tier: what the benchmark starts as its own child. Ends when its input does.</summary>
internal static class FrontServerProcess
{
    /// <param name="args">Bytes of memory; <c>unchecked</c> for a second front over the same memory that takes no checksum, in the place of <c>lm://</c>.</param>
    public static void Run(string[] args) => RunAsync(long.Parse(args[0]), args.Contains("unchecked")).GetAwaiter().GetResult();

    private static async Task RunAsync(long memoryBytes, bool isUnchecked)
    {
        var memory = new RecordStore(
            new KvArena(new KvArenaOptions { CapacityBytes = memoryBytes }), EvictionPolicies.Create(EvictionPolicies.Default), new RecordPins(TimeProvider.System), NullLogger<RecordStore>.Instance);
        await using var cache = new RecordCache(memory, [], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        var registry = new MetricRegistry();
        using var store = new ClientStore(cache, ModelCards.None, new ClientStoreOptions(), new ClientMetrics(registry), TimeProvider.System, NullLogger<ClientStore>.Instance);
        var metrics = new FrontMetrics(registry);
        await using var resp = await StartAsync(store, new PeerDesk(cache, "fronts-server"), metrics);
        await using var second = isUnchecked ? await StartAsync(new UncheckedStore(cache), peers: null, metrics) : await LmFront.StartAsync(
            new LmFrontOptions { Port = 0 }, store, metrics, TimeProvider.System, NullLogger<LmFront>.Instance, CancellationToken.None);
        Console.WriteLine($"ready {resp.Endpoint.Port} {second.Endpoint.Port}");
        await Console.In.ReadToEndAsync();
    }

    private static Task<ClientFront> StartAsync(IClientStore store, PeerDesk? peers, FrontMetrics metrics) =>
        RespFront.StartAsync(new RespFrontOptions { Port = 0 }, store, peers, metrics, TimeProvider.System, NullLogger<RespFront>.Instance, CancellationToken.None);
}
