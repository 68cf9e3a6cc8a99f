using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A front that listens: it accepts connections, bounds their number and their time, and ends them all when it stops.</summary>
/// <remarks>Sockets of its own instead of Kestrel's: docs/decisions/0006-fronts-own-their-sockets.md has the measurement.</remarks>
public sealed class ClientFront : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan PauseAfterFailedAccept = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly FrontOptions _options;
    private readonly Socket _socket;
    private readonly X509Certificate2? _certificate;
    private readonly SslStreamCertificateContext? _chain;
    private readonly Func<FrontConnection, ValueTask<FrontEnd>> _serve;
    private readonly ReadOnlyMemory<byte> _limitReply;
    private readonly FrontMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<FrontConnection, Task> _connections = new();
    private readonly AwakeThreads _threads = new(Environment.ProcessorCount);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _aborting = new();
    private readonly CancellationTokenSource _drained = new();
    private readonly Task _accepting;
    private readonly Task _watching;
    private int _connectionCount;
    private int _isDisposed;

    /// <param name="name">Label of the metrics: <c>resp</c>.</param>
    /// <param name="serve">Speaks the protocol until the connection ends or <see cref="IsStopping"/> is set and nothing is in progress; says why it ended.</param>
    /// <param name="limitReply">Sent to a client for whom there is no place.</param>
    private ClientFront(
        string name, FrontOptions options, Socket socket, X509Certificate2? certificate, SslStreamCertificateContext? chain,
        Func<ClientFront, FrontConnection, ValueTask<FrontEnd>> serve, ReadOnlyMemory<byte> limitReply, FrontMetrics metrics, TimeProvider time, ILogger logger)
    {
        _name = name;
        _options = options;
        _socket = socket;
        _certificate = certificate;
        _chain = chain;
        _serve = connection => serve(this, connection);
        _limitReply = limitReply;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        Endpoint = (IPEndPoint)socket.LocalEndPoint!;
        _accepting = AcceptAllAsync(_stopping.Token);
        _watching = WatchAsync(_drained.Token);
    }

    public IPEndPoint Endpoint { get; }

    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    internal bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>For the store's calls: set once the front ends its connections by force.</summary>
    internal CancellationToken Aborting => _aborting.Token;

    /// <exception cref="ArgumentException">The options are not usable; the message has every error.</exception>
    /// <exception cref="IOException">The address is taken, unknown or not of this machine, or the certificate cannot be read.</exception>
    internal static async Task<ClientFront> StartAsync(
        string name, FrontOptions options, Func<ClientFront, FrontConnection, ValueTask<FrontEnd>> serve, ReadOnlyMemory<byte> limitReply,
        FrontMetrics metrics, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        var certificate = FrontCertificate.Load(options);
        Socket? socket = null;
        try
        {
            var address = IPAddress.TryParse(options.Host, out var parsed) ? parsed : (await Dns.GetHostAddressesAsync(options.Host, cancellationToken))[0];
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, options.Port));
            socket.Listen(Backlog);
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            certificate?.Dispose();
            throw new IOException($"{options.Section}: cannot listen on {options.Host}:{options.Port}: {exception.Message}. Another process may have the port; port 0 takes a free one.", exception);
        }
        var chain = certificate is null ? null : SslStreamCertificateContext.Create(certificate, FrontCertificate.LoadChain(options), offline: true);
        return new ClientFront(name, options, socket, certificate, chain, serve, limitReply, metrics, time, logger);
    }

    /// <summary>Accepts no more; connections end after the command that they are in.</summary>
    /// <param name="cancellationToken">When set, what is left is cut off.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        _socket.Dispose();
        await _accepting;
        foreach (var connection in _connections.Keys)
        {
            if (connection.Deadline.IsIdle)
            {
                connection.Abort(FrontEnd.Stopping);
            }
        }
        await using (cancellationToken.Register(AbortAll))
        {
            await Task.WhenAll(_connections.Values);
        }
        await _drained.CancelAsync();
        await _watching;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }
        await StopAsync(new CancellationToken(canceled: true));
        _stopping.Dispose();
        _aborting.Dispose();
        _drained.Dispose();
        _certificate?.Dispose();
    }

    private void AbortAll()
    {
        _aborting.Cancel();
        foreach (var connection in _connections.Keys)
        {
            connection.Cut(FrontEnd.Stopping);
        }
    }

    private async Task AcceptAllAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Take(await _socket.AcceptAsync(stopping));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OutOfMemoryException)
            {
                if (stopping.IsCancellationRequested)
                {
                    return;
                }
                // Out of file descriptors or threads, most likely: that passes as connections close. Or the client has gone again.
                FrontLog.AcceptFailed(_logger, _name, PauseAfterFailedAccept, exception);
                await Task.Delay(PauseAfterFailedAccept, _time, CancellationToken.None);
            }
        }
    }

    private void Take(Socket socket)
    {
        _metrics.Accepted.With(_name).Add();
        if (ConnectionCount >= _options.ConnectionsMax)
        {
            Refuse(socket);
            return;
        }
        try
        {
            var thread = new FrontThread();
            var connection = new FrontConnection(
                socket, thread, _threads, new FrontDeadline(_time, _options.StallTimeout, _options.IdleTimeout, _options.TransferBytesPerSecondMin),
                _metrics.ReceivedBytes.With(_name), _metrics.SentBytes.With(_name));
            Interlocked.Increment(ref _connectionCount); // This loop alone counts up.
            var running = thread.RunAsync($"ferry {_name}", () => RunAsync(connection));
            _connections[connection] = running;
            _ = running.ContinueWith((_, ended) => _connections.TryRemove((FrontConnection)ended!, out var _),
                connection, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        catch (OutOfMemoryException)
        {
            Interlocked.Decrement(ref _connectionCount); // No thread to be had.
            socket.Dispose();
            throw;
        }
        catch (SocketException)
        {
            socket.Dispose(); // It was reset between its arrival and here.
            throw;
        }
    }

    private async Task RunAsync(FrontConnection connection)
    {
        _metrics.Connections.With(_name).Set(ConnectionCount);
        try
        {
            connection.Abort(await ServeAsync(connection));
        }
#pragma warning disable CA1031 // The edge of a connection: a defect here must not take the other connections along.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            connection.Abort(FrontEnd.Fault);
            if (!IsStopping)
            {
                FrontLog.ConnectionFailed(_logger, _name, connection.Peer, exception);
            }
        }
        _metrics.Ended.With(_name, connection.End.ToString()).Add();
        FrontLog.ConnectionEnded(_logger, _name, connection.Peer, connection.End);
        connection.Dispose();
        Interlocked.Decrement(ref _connectionCount);
        _metrics.Connections.With(_name).Set(ConnectionCount);
    }

    private ValueTask<FrontEnd> ServeAsync(FrontConnection connection) =>
        _certificate is not null && !connection.Secure(_certificate, _chain!) ? ValueTask.FromResult(FrontEnd.Handshake) : _serve(connection);

    /// <summary>Says why, if the socket takes it at once: a new one does.</summary>
    private void Refuse(Socket socket)
    {
        using (socket)
        {
            FrontLog.LimitReached(_logger, _name, _options.ConnectionsMax, socket.RemoteEndPoint);
            socket.Blocking = false;
            if (_certificate is null && !_limitReply.IsEmpty)
            {
                socket.Send(_limitReply.Span);
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        _metrics.Ended.With(_name, nameof(FrontEnd.Limit)).Add();
    }

    private async Task WatchAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(WatchPeriod, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                EndOverdue();
            }
        }
        catch (OperationCanceledException)
        {
            // The front stops.
        }
    }

    private void EndOverdue()
    {
        var now = _time.GetTimestamp();
        foreach (var connection in _connections.Keys)
        {
            if (!connection.Deadline.IsPast(now))
            {
                continue;
            }
            var reason = connection.Deadline.IsIdle ? FrontEnd.Idle : FrontEnd.Stalled;
            if (connection.IsOpen)
            {
                connection.Abort(reason);
            }
            else
            {
                connection.Cut(reason); // A second ago it was told to end, and has not.
            }
        }
    }
}
