using System.Net;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Lm;

/// <summary>The exchange as LMCache's own server, for clients with <c>lm://</c>. docs/wire/lm.md.</summary>
public sealed class LmFront
{
    internal const string Name = "lm";

    private int _warnedOutcomes;
    private int _protocolErrors;

    private LmFront(LmFrontOptions options, IClientStore store, FrontMetrics metrics, TimeProvider time, ILogger logger)
    {
        Options = options;
        Store = store;
        Time = time;
        Logger = logger;
        Counters = new LmCounters(metrics);
    }

    internal LmFrontOptions Options { get; }

    internal IClientStore Store { get; }

    internal TimeProvider Time { get; }

    internal ILogger Logger { get; }

    internal LmCounters Counters { get; }

    /// <param name="metrics">One for each registry, shared by its fronts.</param>
    /// <returns>Disposed by the caller, before the store.</returns>
    /// <exception cref="ArgumentException">The options are not usable; the message has every error.</exception>
    /// <exception cref="IOException">The address is taken, unknown or not of this machine, or the certificate cannot be read.</exception>
    public static async Task<ClientFront> StartAsync(
        LmFrontOptions options, IClientStore store, FrontMetrics metrics, TimeProvider time, ILogger<LmFront> logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(time);
        var front = new LmFront(options, store, metrics, time, logger);
        // No reply says "full" in this protocol: the connection just ends.
        var listener = await ClientFront.StartAsync(Name, options, front.ServeAsync, ReadOnlyMemory<byte>.Empty, metrics, time, logger, cancellationToken);
        FrontLog.Listening(logger, Name, listener.Endpoint, options.TlsCertificatePath is null ? "" : ", with TLS");
        if (!IPAddress.IsLoopback(listener.Endpoint.Address))
        {
            FrontLog.OpenToAll(logger, Name, listener.Endpoint);
        }
        return listener;
    }

    /// <summary>A PUT has no reply: only metrics and the log can tell. The first refusal for each reason is logged.</summary>
    internal void CountRefused(FrontConnection connection, long valueBytes, ClientPutOutcome outcome)
    {
        Counters.PutRefused(outcome);
        var bit = 1 << (int)outcome;
        if ((Interlocked.Or(ref _warnedOutcomes, bit) & bit) == 0)
        {
            FrontLog.PutRefused(Logger, Name, valueBytes, connection.Peer, outcome);
        }
    }

    /// <summary>A hostile client must not fill the log: the first few are told, all are counted.</summary>
    internal void LogProtocolError(FrontConnection connection, string problem)
    {
        const int ToldMax = 16;
        if (Interlocked.Increment(ref _protocolErrors) <= ToldMax)
        {
            FrontLog.ProtocolBroken(Logger, Name, connection.Peer, problem);
        }
    }

    private async ValueTask<FrontEnd> ServeAsync(ClientFront listener, FrontConnection connection)
    {
        using var session = new LmSession(this, listener, connection);
        return await session.RunAsync();
    }
}
