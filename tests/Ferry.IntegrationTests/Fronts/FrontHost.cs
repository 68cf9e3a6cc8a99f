using Ferry.Cache;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Cache.Remote.Lm;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Remote.Resp;
using Ferry.Kv.Metrics;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Both fronts over a memory tier, on ports of the loopback. Disposing proves that no connection, lease or reservation was left.</summary>
internal sealed class FrontHost : IAsyncDisposable
{
    private readonly ClientStore _clients;

    private FrontHost(RecordCache cache, ClientStore clients, MetricRegistry registry, FakeTimeProvider time)
    {
        Cache = cache;
        _clients = clients;
        Store = clients;
        Registry = registry;
        Time = time;
    }

    public RecordCache Cache { get; }

    public IClientStore Store { get; private set; }

    public MetricRegistry Registry { get; }

    /// <summary>Stands still unless a test moves it.</summary>
    public FakeTimeProvider Time { get; }

    public ClientFront Resp { get; private set; } = null!;

    public ClientFront Lm { get; private set; } = null!;

    public static async Task<FrontHost> StartAsync(
        RespFrontOptions? resp = null, LmFrontOptions? lm = null, long memoryBytes = 64 << 20, Func<IClientStore, IClientStore>? wrap = null)
    {
        var time = new FakeTimeProvider();
        var registry = new MetricRegistry();
        var cache = new RecordCache(TestRecords.Store(memoryBytes), [], new RecordCacheOptions(), time, NullLoggerFactory.Instance);
        var clients = new ClientStore(cache, ModelCards.None, new ClientStoreOptions(), new ClientMetrics(registry), time, NullLogger<ClientStore>.Instance);
        var host = new FrontHost(cache, clients, registry, time);
        host.Store = wrap?.Invoke(clients) ?? clients;
        var metrics = new FrontMetrics(registry);
        host.Resp = await RespFront.StartAsync(resp ?? new RespFrontOptions { Port = 0 }, host.Store, metrics, time, NullLogger<RespFront>.Instance, CancellationToken.None);
        host.Lm = await LmFront.StartAsync(lm ?? new LmFrontOptions { Port = 0 }, host.Store, metrics, time, NullLogger<LmFront>.Instance, CancellationToken.None);
        return host;
    }

    public RawClient ConnectResp() => new(Resp.Endpoint);

    public RawClient ConnectLm() => new(Lm.Endpoint);

    /// <summary>Waits until every connection has ended and nothing is held.</summary>
    public Task IsQuietAsync() => Eventually.HoldsAsync(() =>
        Resp.ConnectionCount == 0 && Lm.ConnectionCount == 0 && Cache.Memory.Snapshot() is { Leases: 0, HeldBytes: 0 });

    public async ValueTask DisposeAsync()
    {
        await Resp.DisposeAsync();
        await Lm.DisposeAsync();
        _clients.Dispose(); // Halves of pairs that wait hold room.
        Assert.Equal((0, 0), (Resp.ConnectionCount, Lm.ConnectionCount));
        Assert.Equal((0, 0L), (Cache.Memory.Snapshot().Leases, Cache.Memory.Snapshot().HeldBytes));
        Cache.Memory.CheckIntegrity();
        await Cache.DisposeAsync();
    }
}
