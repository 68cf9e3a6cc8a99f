using System.Threading.Channels;
using Ferry.Router.Discovery;
using Ferry.Router.Metrics;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Ferry.Router.Prefixes.Sharing;

/// <summary>Shares what was routed where with other routers, through a stream in Redis: each writes what it did and reads what others did.</summary>
/// <remarks>
/// The index itself stays in each router's memory, so a choice never waits for Redis. A router that starts reads the stream's tail and
/// knows what the others know. While Redis is away each goes on alone; what it could not say is dropped and counted. KV events are not
/// shared: every router hears them from the engines themselves.
/// </remarks>
internal sealed class RedisPrefixShare : IAsyncDisposable
{
    private const int MaxEntries = 16_384;     // of the stream: the tail that a new router reads
    private const int MaxOutbox = 4_096;
    private const int ReadAtATime = 512;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConnectionMultiplexer _redis;
    private readonly RouterOptions _options;
    private readonly NodeDirectory _nodes;
    private readonly PrefixKnowledge _knowledge;
    private readonly RouterTime _time;
    private readonly RouterMetrics _metrics;
    private readonly ILogger _logger;
    private readonly string _self = Guid.NewGuid().ToString("N");
    private readonly Channel<byte[]> _outbox;
    private readonly CancellationTokenSource _stopping = new();
    private Task _loops = Task.CompletedTask;
    private RedisValue _last = "0-0";
    private bool _wasTold;

    private RedisPrefixShare(ConnectionMultiplexer redis, RouterOptions options, NodeDirectory nodes, PrefixKnowledge knowledge, RouterTime time, RouterMetrics metrics, ILogger logger)
    {
        (_redis, _options, _nodes, _knowledge, _time, _metrics, _logger) = (redis, options, nodes, knowledge, time, metrics, logger);
        _outbox = Channel.CreateBounded<byte[]>(
            new BoundedChannelOptions(MaxOutbox) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => metrics.ShareDropped());
    }

    /// <summary>Connects in the background: a router starts without Redis, too.</summary>
    public static async Task<RedisPrefixShare> StartAsync(
        RouterOptions options, NodeDirectory nodes, PrefixKnowledge knowledge, RouterTime time, RouterMetrics metrics, ILogger logger, CancellationToken cancellationToken)
    {
        var configuration = new ConfigurationOptions
        {
            EndPoints = { options.Redis },
            AbortOnConnectFail = false,
            ConnectTimeout = (int)Patience.TotalMilliseconds,
            AsyncTimeout = (int)Patience.TotalMilliseconds,
            Password = options.RedisPasswordFile.Length > 0 ? (await File.ReadAllTextAsync(options.RedisPasswordFile, cancellationToken)).Trim() : null,
            ClientName = "ferry-route",
        };
        var redis = await ConnectionMultiplexer.ConnectAsync(configuration);
        var share = new RedisPrefixShare(redis, options, nodes, knowledge, time, metrics, logger);
        knowledge.OnRouted = share.Tell;
        share._loops = Task.WhenAll(share.WriteAsync(share._stopping.Token), share.ReadAsync(share._stopping.Token));
        return share;
    }

    public async ValueTask DisposeAsync()
    {
        _knowledge.OnRouted = null;
        await _stopping.CancelAsync();
        await _loops;
        await _redis.DisposeAsync();
        _stopping.Dispose();
    }

    private void Tell(Node node, PromptKeys keys)
    {
        if (!keys.Keys.IsEmpty) { _outbox.Writer.TryWrite(SharedRoute.Encode(node.Role, node.Name, keys.Keys)); }
    }

    private async Task WriteAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (var route in _outbox.Reader.ReadAllAsync(stopping))
            {
                try
                {
                    await _redis.GetDatabase().StreamAddAsync(
                        _options.RedisKey, [new NameValueEntry("router", _self), new NameValueEntry("route", route)], maxLength: MaxEntries, useApproximateMaxLength: true);
                }
                catch (Exception exception) when (exception is RedisException or TimeoutException)
                {
                    _metrics.ShareDropped();
                    Say(exception.Message);
                    await Task.Delay(Pause, _time.Clock, stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // the router stops
        }
    }

    private async Task ReadAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                var pause = Poll;
                try
                {
                    var entries = await _redis.GetDatabase().StreamReadAsync(_options.RedisKey, _last, ReadAtATime);
                    foreach (var entry in entries)
                    {
                        Take(entry);
                        _last = entry.Id;
                    }
                    pause = entries.Length == ReadAtATime ? TimeSpan.Zero : Poll;
                    _wasTold = false;
                }
                catch (Exception exception) when (exception is RedisException or TimeoutException)
                {
                    Say(exception.Message);
                    pause = Pause;
                }
                await Task.Delay(pause, _time.Clock, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // the router stops
        }
    }

    private void Say(string reason)
    {
        if (_wasTold) { return; }
        _wasTold = true;
        SharingLog.RedisAway(_logger, _options.Redis, reason);
    }

    private void Take(StreamEntry entry)
    {
        if (entry["router"] == _self) { return; }
        if (SharedRoute.TryDecode(entry["route"]) is not { } route)
        {
            _metrics.ShareUnreadable();
            return;
        }
        // A node that this router does not know yet, or no longer: nothing to remember.
        if (_nodes.TryFind(route.Role, route.Node) is not { Slot: >= 0 } node) { return; }
        _knowledge.Index.Add(route.Keys, node.Slot, KvTier.Routed, _knowledge.Now, (uint)_nodes.Current.Options.HistoryLifetime.TotalSeconds);
        _metrics.ShareTaken();
    }
}
