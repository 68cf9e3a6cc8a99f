using System.Net.Sockets;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Metrics;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Cache.Remote.Hosting.Admin;
using Ferry.Cache.Remote.Hosting.Metrics;
using Ferry.Cache.Remote.Hosting.Options;
using Ferry.Cache.Remote.Lm;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Resp;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Keys;
using Ferry.Kv.Metrics;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Hosting;

/// <summary>One whole exchange: memory, tiers, the clients' store, fronts and the admin port, made from options. Disposing ends them in the right order.</summary>
public sealed class ExchangeHost : IAsyncDisposable
{
    private readonly ILoggerFactory _loggers;
    private readonly List<ClientFront> _fronts = [];
    private readonly List<IKvTier> _tiers;
    private readonly ClientMetrics _clients;
    private readonly ClientStore _store;
    private readonly PeerDesk _peers;
    private AdminHost? _admin;

    private ExchangeHost(
        ExchangeOptions options, RecordCache cache, PeerDesk peers, List<IKvTier> tiers, MetricRegistry metrics, ILoggerFactory loggers, TimeProvider clock)
    {
        _peers = peers;
        (Options, Cache, _tiers, Metrics, _loggers) = (options, cache, tiers, metrics, loggers);
        Usage = new TierUsageWatch(new CacheMetrics(metrics, cache), clock);
        _clients = new ClientMetrics(metrics);
        _store = new ClientStore(cache, options.Models, options.Clients, _clients, clock, loggers.CreateLogger<ClientStore>());
        StartedAt = clock.GetUtcNow();
    }

    public ExchangeOptions Options { get; }

    public RecordCache Cache { get; }

    public IClientStore Store => _store;

    /// <summary>Where RESP clients reach it; null: nowhere.</summary>
    public ListenAddress? Resp { get; private set; }

    /// <summary>Where lm:// clients reach it; null: nowhere.</summary>
    public ListenAddress? Lm { get; private set; }

    /// <summary>Where administration is served; null: nowhere.</summary>
    public ListenAddress? Admin => _admin?.Address;

    /// <summary>What the start says of it, one line a part.</summary>
    public IReadOnlyList<(string Part, string Text)> Description => ExchangeState.Describe(this);

    /// <summary>Bounds of the cache.</summary>
    internal RecordCacheOptions Bounds => BoundsOf(Options);

    internal MetricRegistry Metrics { get; }

    internal TierUsageWatch Usage { get; }

    internal DateTimeOffset StartedAt { get; }

    internal IReadOnlyList<ClientFront> Fronts => _fronts;

    /// <summary>Opens the tiers and listens.</summary>
    /// <exception cref="Exception">See <see cref="IsUserError"/>: settings, files or ports that do not fit.</exception>
    public static async Task<ExchangeHost> StartAsync(ExchangeOptions options, TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        var loggers = LoggerFactory.Create(logging);
        ExchangeHost? host = null;
        try
        {
            var metrics = new MetricRegistry();
            var tiers = new List<IKvTier>();
            var ownId = Guid.NewGuid().ToString("N");
            var cache = await OpenCacheAsync(options, ownId, tiers, clock, loggers, cancellationToken);
            host = new ExchangeHost(options, cache, new PeerDesk(cache, ownId), tiers, metrics, loggers, clock);
            await host.ListenAsync(clock, logging, cancellationToken);
            return host;
        }
        catch
        {
            if (host is not null)
            {
                await host.DisposeAsync();
            }
            else
            {
                loggers.Dispose();
            }
            throw;
        }
    }

    /// <summary>Whether an exception of <see cref="StartAsync"/> is about settings, files or ports: its message is all that the user needs.</summary>
    public static bool IsUserError(Exception exception) => exception is
        IOException or SocketException or UnauthorizedAccessException or ArgumentException or InsufficientMemoryException or DiskTierException;

    /// <summary>The records that may serve a client's key.</summary>
    internal IReadOnlyList<KvKey> NamesOf(ReadOnlyMemory<byte> key) => _store.NamesOf(key.Span);

    /// <summary>The disk tier's own figures, or null.</summary>
    internal DiskTierStats? Disk => _tiers.OfType<DiskTier>().FirstOrDefault()?.Snapshot();

    /// <summary>The tier of a kind, if it can be verified.</summary>
    internal IVerifiableTier? VerifierOf(string kind) => _tiers.Find(tier => tier.Kind == kind) as IVerifiableTier;

    /// <summary>Takes no new clients, lets the others end their command, and writes what is queued for the tiers.</summary>
    /// <param name="cancellationToken">When set, what is left is cut off.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_fronts.Select(front => front.StopAsync(cancellationToken)));
        try
        {
            await Cache.FlushAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The cache says how much it dropped when it is disposed.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await _admin.DisposeAsync();
        }
        foreach (var front in _fronts)
        {
            await front.DisposeAsync();
        }
        await Usage.DisposeAsync();
        _store.Dispose();
        await Cache.DisposeAsync();
        _loggers.Dispose();
    }

    /// <param name="ownId">Tells this exchange from its peers.</param>
    /// <param name="tiers">Receives the tiers, nearest first.</param>
    private static async Task<RecordCache> OpenCacheAsync(ExchangeOptions options, string ownId, List<IKvTier> tiers, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // The disk first: it is the one that may refuse, and a refusal should not wait for a large arena.
        if (options.Disk is { } disk)
        {
            tiers.Add(await DiskTier.OpenAsync(disk.ToOptions(options.Policy), clock, loggers.CreateLogger<DiskTier>(), cancellationToken));
        }
        RecordStore? memory = null;
        try
        {
            tiers.AddRange(options.Peers.Select(peer => new PeerTier(peer, ownId, clock, loggers.CreateLogger<PeerTier>())));
            if (options.Remote is { } remote)
            {
                tiers.Add(RemoteTiers.Open(remote.Url, remote.Options, clock, loggers));
            }
            memory = new RecordStore(
                new KvArena(new KvArenaOptions { CapacityBytes = options.MemoryBytes, TryHugePages = options.TryHugePages }),
                EvictionPolicies.Create(options.Policy), new RecordPins(clock), loggers.CreateLogger<RecordStore>());
            foreach (var (salt, bytes) in options.Quotas)
            {
                if (!memory.Quotas.TrySet(salt, bytes))
                {
                    throw new ArgumentException($"--quota: {options.Quotas.Count} salts are more than may have a quota.");
                }
            }
            return new RecordCache(memory, tiers, BoundsOf(options), clock, loggers);
        }
        catch
        {
            memory?.Dispose();
            foreach (var tier in tiers)
            {
                await tier.DisposeAsync();
            }
            throw;
        }
    }

    private static RecordCacheOptions BoundsOf(ExchangeOptions options) => new()
    {
        Guard = new TierGuardOptions { Deadline = options.TierDeadline },
        WriteBehindBytesMax = options.WriteQueueBytes,
        PrefetchBytesAheadMax = options.PrefetchBytes,
        // StopAsync has flushed within the drain's deadline: what is left then was given up.
        CloseDeadline = TimeSpan.FromSeconds(1),
    };

    private async Task ListenAsync(TimeProvider clock, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        var counts = new FrontMetrics(Metrics);
        _ = new LmCacheMetrics(Metrics, Cache, Usage, _clients, counts);
        if (Options.Resp is { } resp)
        {
            var front = await RespFront.StartAsync(
                new RespFrontOptions
                {
                    Host = resp.Host,
                    Port = resp.Port,
                    ConnectionsMax = Options.ConnectionsMax,
                    Password = Options.Security.Password,
                    User = Options.Security.User,
                    TlsCertificatePath = Options.Security.TlsCertificatePath,
                    TlsKeyPath = Options.Security.TlsKeyPath,
                    AllowFlush = Options.AllowFlush,
                },
                Store, _peers, counts, clock, _loggers.CreateLogger<RespFront>(), cancellationToken);
            _fronts.Add(front);
            Resp = resp with { Port = front.Endpoint.Port };
        }
        if (Options.Lm is { } lm)
        {
            var front = await LmFront.StartAsync(
                new LmFrontOptions { Host = lm.Host, Port = lm.Port, ConnectionsMax = Options.ConnectionsMax },
                Store, counts, clock, _loggers.CreateLogger<LmFront>(), cancellationToken);
            _fronts.Add(front);
            Lm = lm with { Port = front.Endpoint.Port };
        }
        if (Options.Admin is { } admin)
        {
            _admin = await AdminHost.StartAsync(this, admin, clock, logging, cancellationToken);
        }
    }
}
