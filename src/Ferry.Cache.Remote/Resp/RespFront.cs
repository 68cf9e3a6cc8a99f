using System.Net;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Cache.Remote.Peers;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Resp;

/// <summary>The exchange as a Redis server: for LMCache's <c>redis://</c> and <c>resp</c> clients, and for plain Redis clients. docs/wire/resp.md.</summary>
public sealed class RespFront
{
    private int _connectionIds;
    private int _warnedOutcomes;
    private int _protocolErrors;

    private RespFront(RespFrontOptions options, IClientStore store, PeerDesk? peers, FrontMetrics metrics, TimeProvider time, ILogger logger)
    {
        Options = options;
        Store = store;
        Peers = peers;
        Time = time;
        Logger = logger;
        Counters = new RespCounters(metrics);
        Limits = new RespLimits(options.CommandBytesMax, options.ValueBytesMax);
        Password = options.Password is { } password ? new RespPassword(options.User, password) : null;
        StartedAt = time.GetTimestamp();
    }

    internal RespFrontOptions Options { get; }

    internal IClientStore Store { get; }

    /// <summary>Null: peers are refused.</summary>
    internal PeerDesk? Peers { get; }

    internal TimeProvider Time { get; }

    internal ILogger Logger { get; }

    internal RespCounters Counters { get; }

    internal RespLimits Limits { get; }

    /// <summary>Null: nobody is asked.</summary>
    internal RespPassword? Password { get; }

    internal long StartedAt { get; }

    /// <summary>One SET NX or XX at a time: looking and storing must be one step among them.</summary>
    internal SemaphoreSlim Conditional { get; } = new(1, 1);

    /// <summary>As the other, for clients alone.</summary>
    public static Task<ClientFront> StartAsync(
        RespFrontOptions options, IClientStore store, FrontMetrics metrics, TimeProvider time, ILogger<RespFront> logger, CancellationToken cancellationToken) =>
        StartAsync(options, store, null, metrics, time, logger, cancellationToken);

    /// <param name="peers">Answers other exchanges; null: they are refused.</param>
    /// <param name="metrics">One for each registry, shared by its fronts.</param>
    /// <returns>Disposed by the caller, before the store.</returns>
    /// <exception cref="ArgumentException">The options are not usable; the message has every error.</exception>
    /// <exception cref="IOException">The address is taken, unknown or not of this machine, or the certificate cannot be read.</exception>
    public static async Task<ClientFront> StartAsync(
        RespFrontOptions options, IClientStore store, PeerDesk? peers, FrontMetrics metrics, TimeProvider time, ILogger<RespFront> logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(time);
        var front = new RespFront(options, store, peers, metrics, time, logger);
        var listener = await ClientFront.StartAsync(
            RespCounters.Front, options, front.ServeAsync, "-ERR max number of clients reached\r\n"u8.ToArray(), metrics, time, logger, cancellationToken);
        FrontLog.Listening(logger, RespCounters.Front, listener.Endpoint, (options.TlsCertificatePath is null ? "" : ", with TLS") + (options.Password is null ? "" : ", with a password"));
        if (options.Password is null && !IPAddress.IsLoopback(listener.Endpoint.Address))
        {
            FrontLog.OpenToAll(logger, RespCounters.Front, listener.Endpoint);
        }
        return listener;
    }

    internal int NextConnectionId() => Interlocked.Increment(ref _connectionIds);

    /// <summary>Counts a refused value; the first of each reason is also logged.</summary>
    internal void CountRefused(FrontConnection connection, long valueBytes, ClientPutOutcome outcome)
    {
        Counters.PutRefused(outcome);
        var bit = 1 << (int)outcome;
        if ((Interlocked.Or(ref _warnedOutcomes, bit) & bit) == 0)
        {
            FrontLog.PutRefused(Logger, RespCounters.Front, valueBytes, connection.Peer, outcome);
        }
    }

    /// <summary>A hostile client must not fill the log: the first few are told, all are counted.</summary>
    internal void LogProtocolError(FrontConnection connection, string problem)
    {
        const int ToldMax = 16;
        if (Interlocked.Increment(ref _protocolErrors) <= ToldMax)
        {
            FrontLog.ProtocolBroken(Logger, RespCounters.Front, connection.Peer, problem);
        }
    }

    private async ValueTask<FrontEnd> ServeAsync(ClientFront listener, FrontConnection connection)
    {
        using var session = new RespSession(this, listener, connection);
        return await session.RunAsync();
    }
}
