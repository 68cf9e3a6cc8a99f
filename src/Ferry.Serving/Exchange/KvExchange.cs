using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Ferry.Cache;
using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Cache.Remote;
using Ferry.Cache.Tiers;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Kv.Conversion;
using Ferry.Kv.Hashing;
using Ferry.Kv.Layout;
using Ferry.Serving.Events;
using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange;

/// <summary>One node's exchange: joins the engine, the cache and the transfer agent. What the engine computes goes into records; what it lacks comes from them.</summary>
/// <remarks>
/// Life: construct; the engine calls <see cref="Attach"/>; <c>StartAsync</c> gives it a transfer agent (without one there is a cache but no
/// hand-over); dispose it after the engine. Engine calls come on the engine's thread and wait for nothing.
/// </remarks>
public sealed class KvExchange : IKvExchange, IKvConnector
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1); // Expired leases give their memory back within this.

    private readonly KvExchangeOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ChunkHasher _hasher;
    private readonly RecordCache _cache;
    private readonly ReportBook _reports;
    private readonly RequestLeases _leases;
    private readonly LenderDesk _desk;
    private readonly PushDesk _pushes;
    private readonly LoadEnd _end;
    private readonly HandoverCosts? _costs;
    private readonly ConversionPlans _plans = new();
    private readonly ClaimedKeys _claims = new();
    private readonly SharedTierMemory _shared = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _background = new();
    private readonly Dictionary<string, EngineRequest> _requests = new(StringComparer.Ordinal); // The engine's thread only.
    private readonly SmoothedRate _computeRate = new(); // The engine's thread only.
    private readonly ITimer _sweep;
    private KvEventBook? _events;
    private KvEventPublisher? _publisher;
    private KvPool? _pool;
    private ChunkSaver? _saver;
    private PushSender? _sender;
    private ChunkLoader _loader;
    private Lending? _lending;
    private bool _disposed;

    /// <param name="disk">The disk tier of this node, owned from now on; null for none.</param>
    /// <exception cref="ArgumentException">The options do not validate; the message lists every error.</exception>
    public KvExchange(KvExchangeOptions options, TimeProvider time, ILoggerFactory loggers, IKvTier? disk = null)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        (_options, _time, _logger) = (options, time, loggers.CreateLogger<KvExchange>());
        _hasher = ChunkHasher.Create(options.HashAlgorithm, options.HashSeed);
        var memory = new RecordStore(
            new KvArena(new KvArenaOptions { CapacityBytes = options.MemoryBytes }, options.SharesMemory ? _shared.Provide : null), EvictionPolicies.Create(options.Policy), new RecordPins(time),
            loggers.CreateLogger<RecordStore>());
        _cache = new RecordCache(
            memory,
            Tiers(options, disk, time, loggers),
            options.TierBounds with { ReadsPerChain = options.TierReadsPerLoad }, time, loggers);
        _reports = new ReportBook(options.ReportsMax, _cache);
        _leases = new RequestLeases(memory.Pins, _logger);
        _pushes = new PushDesk(_cache, _claims, options, _reports.Counters, IsUsable, time, _logger);
        _costs = options.Handover == HandoverMode.Auto ? new HandoverCosts(options.PeersMax) : null;
        _reports.Costs = _costs;
        _reports.PushBytesHeld = () => _pushes.Bytes;
        _end = new LoadEnd(options, _reports, _leases, _pushes, Track, time, _logger, _stop.Token);
        _desk = new LenderDesk(_cache, _leases, _pushes, _costs, options, _reports.Counters, time);
        _loader = NewLoader(null);
        _sweep = time.CreateTimer(static exchange => ((KvExchange)exchange!).Sweep(), this, SweepInterval, SweepInterval);
    }

    public IKvConnector Connector => this;

    public IKvReports Reports => _reports;

    /// <summary>The memory and shared tiers, for administration and tests.</summary>
    public RecordCache Cache => _cache;

    public int ChunkTokens => _options.ChunkTokens;

    public bool SavesLayers => _sender!.SavesLayers;

    public bool SavesGenerated => _options.SaveDecodeCache;

    public string Description
    {
        get
        {
            var tiers = _cache.SnapshotTiers();
            var address = _lending is { } lending ? $"side channel {lending.Agent.Endpoint}, told as {_options.AdvertisedHost}:{lending.Port}{(_reports.Media.Count > 0 ? $", KV by {string.Join(", ", _reports.Media)}" : "")}" : "no hand-over";
            return $"{_options.Role}, {address}, hand-over by {_options.Handover.Name()}, memory {_options.MemoryBytes >> 20} MiB (huge pages: {_cache.Memory.Arena.HugePages})" +
                string.Concat(tiers.Select(tier => $", {tier.Name}")) + $", chunks of {ChunkTokens} tokens, keys by {KeyAlgorithm}, lease {_options.LeaseDuration.TotalSeconds:0.###} s";
        }
    }

    /// <summary>Algorithm and root of the chain: nodes that share KV agree in both, and a root tells the seed without showing it.</summary>
    private string KeyAlgorithm => $"{_hasher.Algorithm}/{_hasher.Root.ToString()[..16]}";

    /// <summary>What peers learn in the handshake. Valid once attached.</summary>
    public KvDescription Describe() => new(
        _options.Model, ChunkTokens, KeyAlgorithm,
        [.. Enumerable.Range(0, Pool.TensorParallelSize).Select(rank => Pool.RankLayout(rank, ChunkTokens).ToString())]);

    private KvPool Pool => _pool ?? throw new InvalidOperationException("The exchange is not attached to an engine yet.");

    public void Attach(KvPool pool)
    {
        _pool = pool;
        _saver = new ChunkSaver(pool, _cache, _options, _plans, _reports);
        _sender = new PushSender(pool, _saver, _options, _costs, Track, _stop.Token);
    }

    /// <summary>Opens the hand-over. Once, after <see cref="Attach"/> and before the first request.</summary>
    /// <param name="startAgent">Starts the agent that the exchange owns from then on, with this description and this answerer of questions.</param>
    public Task StartAsync(Func<KvDescription, ISideChannelHandler, CancellationToken, Task<ITransferAgent>> startAgent, CancellationToken cancellationToken) =>
        StartAsync(startAgent, [], cancellationToken);

    /// <inheritdoc cref="StartAsync(Func{KvDescription, ISideChannelHandler, CancellationToken, Task{ITransferAgent}}, CancellationToken)"/>
    /// <param name="media">Names of the media that the agent may use, for people and metrics.</param>
    public async Task StartAsync(
        Func<KvDescription, ISideChannelHandler, CancellationToken, Task<ITransferAgent>> startAgent, IReadOnlyList<string> media, CancellationToken cancellationToken)
    {
        var agent = await startAgent(Describe(), _desk, cancellationToken);
        var arena = agent.Register(_cache.Memory.Arena.BaseAddress, _cache.Memory.Arena.CapacityBytes, _shared.BackingAt(_cache.Memory.Arena.BaseAddress));
        var peers = new PeerConnections(agent, _options.PeersMax, _time);
        var fetch = new PeerFetch(peers, arena, _cache, _options, KeyAlgorithm, _reports, _time, _logger);
        _sender!.Line = new PushLine(peers, arena, _options, KeyAlgorithm, _reports.Counters, _time, _logger);
        _end.Fetch = fetch;
        _lending = new Lending(agent, peers, _options.AdvertisedPort == 0 ? PortOf(agent.Endpoint) : _options.AdvertisedPort);
        (_reports.Media, _reports.Peers) = (media, peers);
        _reports.PushTo = _options.TakesPushes ? new KvPushPlace(_options.EngineId, _options.AdvertisedHost, _lending.Port) : null;
        _loader.Dispose();
        _loader = NewLoader(fetch);
        _pushes.Open(agent, arena, KeyAlgorithm);
        _desk.Open(agent, arena);
        if (_options.AdvertisedHost is "0.0.0.0" or "::" or "*")
        {
            ExchangeLog.AdvertisesEveryAddress(_logger, _options.AdvertisedHost);
        }
        ExchangeLog.Started(_logger, _options.EngineId, Description);
    }

    /// <summary>Publishes from now on what chunks memory has. Once, before the first request.</summary>
    /// <exception cref="IOException">An endpoint is taken or unknown.</exception>
    public void Publish(KvEventsOptions options)
    {
        var events = new KvEventBook(options.QueueMax);
        _publisher = KvEventPublisher.Start(events, options, _time, _logger);
        _cache.Memory.Observe(events);
        _events = events;
        KvEventLog.Publishes(_logger, options.Endpoint, options.ReplayEndpoint ?? "nowhere");
    }

    public IKvLoad? TryBeginLoad(KvLoadRequest request)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var trace = _reports.Open(request.RequestId);
        var asksToFetch = HandoverParams.AsksToFetch(request.TransferParams);
        var reason = string.Empty;
        var lender = asksToFetch ? HandoverParams.TryRead(request.TransferParams!, out reason) : null;
        if (asksToFetch && lender is null)
        {
            trace.Explain(reason);
        }
        var state = RequestOf(request.RequestId, request.CacheSalt);
        state.ExpectedTokens = request.Tokens.Length;
        if (HandoverParams.AsksToLend(request.TransferParams))
        {
            _sender!.JobOf(state, request.RequestId, request.TransferParams); // The way to the decode node is made while the request waits for its turn.
        }
        var chunks = WantedChunks(request, state, asksToFetch);
        if (chunks.Count == 0)
        {
            _end.LetGo(lender, 0, completed: true); // The engine has it all.
            return null;
        }
        var salt = chunks[0].Key.Salt;
        var plan = new LoadPlan(request.RequestId, salt, chunks, request.LocalTokens, lender, trace);
        if (lender is null && !_cache.HasTiers && !(_options.KeepInMemory && _cache.Memory.Contains(chunks[0].Key)))
        {
            _end.Conclude(plan, asksToFetch, KvLoadResult.Nothing);
            return null;
        }
        var load = new KvLoad(token => RunAsync(plan, asksToFetch, token));
        Track(load.Completion);
        return load;
    }

    public void Save(in KvSave save)
    {
        var request = RequestOf(save.RequestId, save.CacheSalt);
        // Generated tokens are kept for later requests; the decode node of this one generates its own.
        var wantsLease = HandoverParams.AsksToLend(save.TransferParams) && _lending is not null && !save.IsGenerated;
        request.AsksToLend |= HandoverParams.AsksToLend(save.TransferParams);
        request.PromptTokens = save.IsGenerated ? request.PromptTokens : Math.Max(request.PromptTokens, save.FirstToken + save.TokenCount);
        if (!save.IsGenerated && request.MeasureRate(save, _time) is { } tokensPerSecond)
        {
            _cache.ComputedTokensPerSecond = _computeRate.Add(tokensPerSecond);
        }
        var key = request.Chain.KeyOf(save.Prompt.Span, save.FirstToken, save.TokenCount);
        var layered = request.TakeLayered(save.FirstToken);
        var leases = layered is { } done ? _saver!.EndLayers(save.RequestId, done.Piece) : _saver!.Save(save, key, wantsLease);
        layered?.Pushed?.Seal();
        if (_events is { } events && save.TokenCount == _options.ChunkTokens)
        {
            events.Announce(key, request.Chain.BeforeOrNull(save.FirstToken), save.Prompt.Span.Slice(save.FirstToken, save.TokenCount), key => _cache.Memory.Contains(key));
        }
        if (leases is not null && request.Lend(key, save, leases))
        {
            _sender!.Save(request, save, key, layered?.Pushed, leases);
        }
    }

    public void SaveLayer(in KvSave save, int layer)
    {
        if (HandoverParams.AsksToLend(save.TransferParams))
        {
            _sender!.SaveLayer(RequestOf(save.RequestId, save.CacheSalt), save, layer);
        }
    }

    public JsonObject? RequestFinished(string requestId, bool completed)
    {
        if (!_requests.Remove(requestId, out var request))
        {
            return null;
        }
        _cache.Memory.Touch(request.Chain.FullChunks.ToArray());
        if (!completed || !request.AsksToLend)
        {
            request.Push?.Cancel();
            request.DropLent();
            return null;
        }
        request.Push?.Complete();
        if (_lending is not { } lending)
        {
            ExchangeLog.CannotLend(_logger, requestId);
            return null;
        }
        return Lend(requestId, request, lending);
    }

    /// <summary>Ends when everything put so far is in the shared tier, or was given up.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => _cache.FlushAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }
        await _stop.CancelAsync();
        await Task.WhenAll(_background.Keys);
        foreach (var request in _requests.Values)
        {
            request.DropLent();
        }
        _requests.Clear();
        await _sweep.DisposeAsync();
        if (_lending is { } lending)
        {
            await lending.Peers.DisposeAsync();
            await lending.Agent.DisposeAsync(); // From here on nobody reads the arena, and nothing is pushed.
        }
        _pushes.Close();
        _loader.Dispose();
        _publisher?.Dispose();
        await _cache.DisposeAsync();
        _stop.Dispose();
    }

    private static List<IKvTier> Tiers(KvExchangeOptions options, IKvTier? disk, TimeProvider time, ILoggerFactory loggers)
    {
        var tiers = new List<IKvTier>();
        if (disk is not null)
        {
            tiers.Add(disk);
        }
        if (options.SharedUrl is { } url)
        {
            tiers.Add(RemoteTiers.Open(url, options.SharedOptions with { CapacityBytes = options.SharedBytes ?? options.SharedOptions.CapacityBytes }, time, loggers));
        }
        return tiers;
    }

    private ChunkLoader NewLoader(PeerFetch? fetch) => new(_cache, fetch, _pushes, _options, _plans, _reports, _claims, _time, _logger);

    private void Sweep()
    {
        _cache.Memory.Pins.ReleaseExpired();
        _pushes.Sweep();
    }

    /// <summary>Whether this node can use a peer's records of this layout.</summary>
    private bool IsUsable(KvLayout layout) =>
        _plans.TryGet([ShardCover.FamilyOf(layout)], ShardCover.FamilyOf(Pool.RankLayout(0, layout.Tokens))) is not null;

    private EngineRequest RequestOf(string requestId, string salt)
    {
        if (!_requests.TryGetValue(requestId, out var request))
        {
            request = new EngineRequest(new PromptChain(_hasher, ChunkTokens, _options.Model, salt));
            _requests.Add(requestId, request);
        }
        return request;
    }

    /// <summary>The chunks from the one that the engine's own prefix ends in. The last prompt token is computed in any case, so a prompt held up to it wants nothing.</summary>
    /// <param name="wantsUnfull">Whether somebody may hold an unfull last chunk.</param>
    private List<WantedChunk> WantedChunks(KvLoadRequest request, EngineRequest state, bool wantsUnfull)
    {
        var chunks = new List<WantedChunk>();
        if (request.LocalTokens >= request.Tokens.Length - 1)
        {
            return chunks;
        }
        for (var first = request.LocalTokens / ChunkTokens * ChunkTokens; first < request.Tokens.Length; first += ChunkTokens)
        {
            var count = Math.Min(ChunkTokens, request.Tokens.Length - first);
            if (count == 1 || (count < ChunkTokens && !wantsUnfull && !_options.SaveUnfullChunk))
            {
                break; // A single last token is computed anyway; an unfull chunk is kept for a hand-over only.
            }
            chunks.Add(new WantedChunk(
                state.Chain.KeyOf(request.Tokens.Span, first, count), first, count,
                [.. Enumerable.Range(0, Pool.TensorParallelSize).Select(rank => Pool.RankLayout(rank, count))]));
        }
        return chunks;
    }

    private async Task<KvLoadResult> RunAsync(LoadPlan plan, bool asksToFetch, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        var result = await _loader.LoadAsync(plan, linked.Token);
        _end.Conclude(plan, asksToFetch && !linked.IsCancellationRequested, result); // Called off is not missed.
        return result;
    }

    private void Track(Task task)
    {
        _background[task] = true;
        _ = task.ContinueWith(
            static (ended, tasks) => ((ConcurrentDictionary<Task, bool>)tasks!).TryRemove(ended, out _), _background,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private JsonObject? Lend(string requestId, EngineRequest request, Lending lending)
    {
        var lent = request.TakeLent();
        if (lent.Tokens < request.PromptTokens)
        {
            ExchangeLog.LentInPart(_logger, requestId, lent.Tokens, request.PromptTokens);
        }
        if (lent.Tokens == 0
            || !_leases.TryHold(requestId, lent.Keys, lent.Tokens, lent.Records, _options.LeaseDuration, out var leaseId, out var expiresAt))
        {
            return null;
        }
        _reports.Counters.HandoversLent.Add();
        return new HandoverParams(
            lending.Agent.Identity.EngineId, requestId, _options.AdvertisedHost, lending.Port, leaseId, lending.Agent.Identity.Generation)
        {
            Mode = request.Push?.Mode ?? HandoverMode.Pull,
            IsMeasured = request.IsMeasured,
        }.ToJson(lent.Blocks, Pool.TensorParallelSize, lent.Tokens, expiresAt);
    }

    /// <summary>The port that the system chose, when the user left the choice to it.</summary>
    private static int PortOf(string endpoint) =>
        int.TryParse(endpoint.AsSpan(endpoint.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;

    /// <param name="Port">Where peers dial the side channel.</param>
    private sealed record Lending(ITransferAgent Agent, PeerConnections Peers, int Port);
}
