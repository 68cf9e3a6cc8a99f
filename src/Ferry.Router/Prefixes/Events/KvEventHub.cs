using Microsoft.Extensions.Logging;
using NetMQ;

namespace Ferry.Router.Prefixes.Events;

/// <summary>Follows the KV events of all nodes that have some, on one thread of its own.</summary>
internal sealed class KvEventHub : IAsyncDisposable
{
    private readonly RouterRuntime _router;
    private readonly ILogger _logger;
    private readonly Dictionary<Node, KvEventFollower> _followers = [];
    private readonly Lock _starting = new();
    private NetMQPoller? _poller;
    private KvEventReader? _reader;
    private KvEventSink? _sink;

    public KvEventHub(RouterRuntime router, ILogger logger) => (_router, _logger) = (router, logger);

    /// <summary>Nodes came and went.</summary>
    public void Changed(IReadOnlyList<Node> came, IReadOnlyList<Node> went)
    {
        var options = _router.Options;
        var follow = came.Where(node => node.Slot >= 0 && EndpointOf(node, node.Spec.KvEvents, options.EventsPort) is not null).ToList();
        if (follow.Count == 0 && (_poller is null || went.Count == 0)) { return; }
        var poller = Poller();
        foreach (var node in went) { OnPoller(poller, () => Stop(poller, node)); }
        foreach (var node in follow) { OnPoller(poller, () => Follow(poller, node, options)); }
    }

    /// <summary>A node was down: it may have restarted with an empty cache.</summary>
    public void NodeDown(Node node)
    {
        _router.Knowledge.Forget(node.Slot);
        if (_poller is { } poller)
        {
            OnPoller(poller, () =>
            {
                if (_followers.TryGetValue(node, out var follower)) { follower.Reset(); }
            });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_poller is not { } poller) { return; }
        await Task.Factory.StartNew(
            () =>
            {
                foreach (var node in _followers.Keys.ToArray()) { Stop(poller, node); }
            }, CancellationToken.None, TaskCreationOptions.None, poller);
        poller.Stop();
        poller.Dispose();
    }

    private void Follow(NetMQPoller poller, Node node, RouterOptions options)
    {
        var endpoint = EndpointOf(node, node.Spec.KvEvents, options.EventsPort)!;
        try
        {
            var follower = new KvEventFollower(node, endpoint, EndpointOf(node, node.Spec.KvReplay, options.ReplayPort), options.EventsTopic, _reader!, _sink!, _logger);
            follower.AddTo(poller);
            _followers[node] = follower;
            KvEventLog.Follows(_logger, node.Name, endpoint);
        }
        catch (Exception exception) when (exception is NetMQException or ArgumentException or System.Net.Sockets.SocketException)
        {
            KvEventLog.CannotFollow(_logger, node.Name, endpoint, exception.Message);
        }
    }

    private void Stop(NetMQPoller poller, Node node)
    {
        if (!_followers.Remove(node, out var follower)) { return; }
        follower.RemoveFrom(poller);
        follower.Dispose();
        _sink!.Cleared(node.Slot);
    }

    private NetMQPoller Poller()
    {
        lock (_starting)
        {
            if (_poller is not null) { return _poller; }
            var knowledge = _router.Knowledge;
            var keys = new EngineKeyTable(knowledge.EngineKeyBytes)
            {
                Dropped = (key, slot) =>
                {
                    foreach (var tier in (ReadOnlySpan<KvTier>)[KvTier.Device, KvTier.Host, KvTier.Storage]) { knowledge.Index.Remove(key, slot, tier); }
                },
            };
            _sink = new KvEventSink(knowledge, keys, (slot, tokens) =>
            {
                foreach (var node in _followers.Keys)
                {
                    if (node.Slot == slot) { node.BlockTokens = tokens; }
                }
            });
            _reader = new KvEventReader(_sink);
            _poller = [];
            _poller.RunAsync("ferry-kv-events", isBackgroundThread: true);
            return _poller;
        }
    }

    private static void OnPoller(NetMQPoller poller, Action action) =>
        _ = Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.None, poller);   // the poller owns and orders them; each catches its own

    private static string? EndpointOf(Node node, string? own, int port) => own ?? (port > 0 ? $"tcp://{node.Address.Host}:{port}" : null);
}
