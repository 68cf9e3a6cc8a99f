using Ferry.Router.Admission;
using Ferry.Router.Choosing;
using Ferry.Router.Configuration;
using Ferry.Router.Discovery;
using Ferry.Router.Health;
using Ferry.Router.Metrics;
using Ferry.Router.Prefixes;
using Ferry.Router.Prefixes.Events;
using Ferry.Router.Prefixes.Sharing;
using Ferry.Router.Security;
using Microsoft.Extensions.Logging;

namespace Ferry.Router;

/// <summary>Everything of a router that is not the request path: its nodes, what is known of them, who may use it, and the loops that keep this true.</summary>
internal sealed class RouterRuntime : IAsyncDisposable
{
    private readonly RouterConfiguration _configuration;
    private readonly ILogger _logger;
    private readonly HealthMonitor _health;
    private readonly List<IAsyncDisposable> _loops = [];
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly KvEventHub _events;

    /// <param name="options">Read from the configuration already, and valid.</param>
    /// <param name="get">Sends a GET to a node: the request path's own connections and certificates.</param>
    public RouterRuntime(
        RouterConfiguration configuration, RouterOptions options, RouterMetrics metrics, TimeProvider clock, ILogger logger,
        Func<Node, string, CancellationToken, Task<HttpResponseMessage>> get, ulong seed)
    {
        (_configuration, _logger, Metrics) = (configuration, logger, metrics);
        Time = new RouterTime(clock);
        Pairs = new PairTable();
        Knowledge = new PrefixKnowledge(options, Time);
        Nodes = new NodeDirectory(options, Knowledge, Pairs, Time, seed, logger);
        Chooser = new NodeChooser(Nodes, Knowledge, Pairs, Time, metrics, logger);
        Admission = new AdmissionQueue(() => Options, clock);
        Keys = new ApiKeyRing(clock);
        Leases = new DrainWatch(Time);
        _health = new HealthMonitor(Nodes, get, new ZmqSideChannelProbe(), Time, logger);
        _events = new KvEventHub(this, logger);
        _health.WentDown = _events.NodeDown;
        NodeGauges.Register(metrics.Registry, this);
    }

    public RouterOptions Options => Nodes.Current.Options;

    public NodeDirectory Nodes { get; }

    public NodeChooser Chooser { get; }

    public AdmissionQueue Admission { get; }

    public ApiKeyRing Keys { get; }

    public PairTable Pairs { get; }

    public PrefixKnowledge Knowledge { get; }

    public RouterMetrics Metrics { get; }

    public DrainWatch Leases { get; }

    public RouterTime Time { get; }

    /// <summary>What was wrong with the last configuration that was read; empty: nothing.</summary>
    public IReadOnlyList<string> ReloadErrors { get; private set; } = [];

    /// <summary>KV events by node name: what its subscription is doing.</summary>
    public KvEventHub Events => _events;

    /// <summary>Starts the loops.</summary>
    /// <exception cref="RouterStartException">The key file cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var errors = new List<string>();
        Keys.Load(Options.ApiKeysFile, errors);
        if (errors.Count > 0) { throw new RouterStartException(errors); }
        Nodes.Changed = _events.Changed;
        _events.Changed([.. Nodes.Current.Nodes], []);
        _loops.Add(new SourceLoops(SourcesOf(Options), Nodes, Time.Clock, _logger));
        if (_configuration.Path is not null) { _loops.Add(new ConfigurationWatch(_configuration.Path, this)); }
        if (Options.Redis.Length > 0) { _loops.Add(await RedisPrefixShare.StartAsync(Options, Nodes, Knowledge, Time, Metrics, _logger, cancellationToken)); }
        _loops.Add(_health);
        _health.Start();
    }

    /// <summary>Reads the configuration again. With an error nothing changes.</summary>
    /// <returns>The errors; none: it was taken.</returns>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken)
    {
        await _reloading.WaitAsync(cancellationToken);
        try
        {
            var errors = new List<string>();
            var options = _configuration.Read(errors);
            if (errors.Count == 0) { CheckStart(Options, options, errors); }
            if (errors.Count == 0) { Keys.Load(options.ApiKeysFile, errors); }
            ReloadErrors = errors;
            Metrics.Reloaded(errors.Count == 0);
            foreach (var error in errors) { DiscoveryLog.ReloadRefused(_logger, error); }
            if (errors.Count > 0) { return errors; }
            Nodes.Apply(options);
            DiscoveryLog.Reloaded(_logger, _configuration.Path, options.Prefill.Count, options.Decode.Count, options.Policy);
            return errors;
        }
        finally
        {
            _reloading.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var loop in _loops) { await loop.DisposeAsync(); }
        await _events.DisposeAsync();
        _reloading.Dispose();
    }

    /// <summary>A setting that takes effect only at start may not change.</summary>
    private static void CheckStart(RouterOptions now, RouterOptions next, List<string> errors)
    {
        foreach (var setting in RouterSettings.All.Where(setting => !setting.IsReloadable && setting.Format(now) != setting.Format(next)))
        {
            errors.Add($"{setting.Key} changed from '{setting.Format(now)}' to '{setting.Format(next)}', which takes effect only at a start. Put it back, or restart the router.");
        }
    }

    private IEnumerable<INodeSource> SourcesOf(RouterOptions options)
    {
        if (options.NodesFile.Length > 0) { yield return new FileNodeSource(options.NodesFile, () => Options.DiscoveryInterval); }
        if (options.PrefillDns.Length > 0) { yield return new DnsNodeSource(options.PrefillDns, NodeRole.Prefill, () => Options.DiscoveryInterval); }
        if (options.DecodeDns.Length > 0) { yield return new DnsNodeSource(options.DecodeDns, NodeRole.Decode, () => Options.DiscoveryInterval); }
        if (options.PrefillService.Length > 0) { yield return new KubernetesNodeSource(options, options.PrefillService, NodeRole.Prefill); }
        if (options.DecodeService.Length > 0) { yield return new KubernetesNodeSource(options, options.DecodeService, NodeRole.Decode); }
    }
}
