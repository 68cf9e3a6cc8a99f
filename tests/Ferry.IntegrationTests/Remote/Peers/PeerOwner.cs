using System.Runtime.InteropServices;
using Ferry.Cache;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Resp;
using Ferry.Cache.Tiers;
using Ferry.Kv.Metrics;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.Peers;

/// <summary>An exchange on loopback that peers ask: memory, the tiers it is given, a RESP front. Disposing proves that nothing of it is held any more.</summary>
internal sealed class PeerOwner : IAsyncDisposable
{
    /// <summary>On a busy machine an answer takes longer and is the same.</summary>
    private static readonly PeerTierOptions Patient = new() { Host = "127.0.0.1", Port = 1, AnswerTimeout = TimeSpan.FromSeconds(30), StallTimeout = TimeSpan.FromSeconds(30) };

    private readonly ClientStore _clients;

    private PeerOwner(RecordCache cache, ClientStore clients, ClientFront front, string id) => (Cache, _clients, Front, Id) = (cache, clients, front, id);

    public RecordCache Cache { get; }

    public ClientFront Front { get; }

    public string Id { get; }

    public int Port => Front.Endpoint.Port;

    public static async Task<PeerOwner> StartAsync(IEnumerable<IKvTier>? tiers = null, RespFrontOptions? options = null)
    {
        var (id, registry) = (Guid.NewGuid().ToString("N"), new MetricRegistry());
        var cache = new RecordCache(TestRecords.Store(32 << 20), tiers ?? [], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        var clients = new ClientStore(cache, ModelCards.None, new ClientStoreOptions(), new ClientMetrics(registry), TimeProvider.System, NullLogger<ClientStore>.Instance);
        var front = await RespFront.StartAsync(
            options ?? new RespFrontOptions { Port = 0 }, clients, new PeerDesk(cache, id), new FrontMetrics(registry), TimeProvider.System, NullLogger<RespFront>.Instance, CancellationToken.None);
        return new PeerOwner(cache, clients, front, id);
    }

    /// <summary>The tier of another exchange that reads from this one.</summary>
    public PeerTier Tier(PeerTierOptions? options = null, string ownId = "another") => TierAt(Port, options, ownId);

    public static PeerTier TierAt(int port, PeerTierOptions? options = null, string ownId = "another") => new(
        (options ?? Patient) with { Port = port }, ownId, TimeProvider.System, NullLogger<PeerTier>.Instance);

    /// <summary>Flips one bit of every record in memory.</summary>
    public void Damage(int byteIndex)
    {
        var cursor = 0UL;
        do
        {
            foreach (var summary in Cache.Memory.Walk(ref cursor, 100))
            {
                using var lease = Cache.Memory.TryLease(summary.Header.Key, summary.Header.Layout)!;
                MemoryMarshal.AsMemory(lease.Record).Span[byteIndex] ^= 0x10;
            }
        }
        while (cursor != 0);
    }

    public async ValueTask DisposeAsync()
    {
        await Front.DisposeAsync();
        _clients.Dispose();
        Assert.Equal((0, 0L), (Cache.Memory.Snapshot().Leases, Cache.Memory.Snapshot().HeldBytes));
        Cache.Memory.CheckIntegrity();
        await Cache.DisposeAsync();
    }

    /// <summary>Waits until nobody is connected and nothing is held.</summary>
    public Task IsQuietAsync() => Eventually.HoldsAsync(() => Front.ConnectionCount == 0 && Cache.Memory.Snapshot() is { Leases: 0, HeldBytes: 0 });
}
