using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Kv.Sockets;
using Ferry.Transfer.Media;
using Ferry.Transfer.Probe;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Tls;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>
/// The agent of every networked medium: side channel and leases over TCP; bytes over TCP too, straight from and into registered memory, or by a
/// <see cref="DataMedium"/> that reaches the peer.
/// </summary>
public sealed class TcpTransferAgent : ITransferAgent
{
    // A sweep this much later than due means that this process stood still, not that its peers did.
    internal const int LateSweepFactor = 3;

    private readonly ConcurrentDictionary<TcpPeer, bool> _peers = new();
    private readonly ConnectionListener _listener;
    private readonly PeerMetadata _metadata;
    private readonly ProbeDesk? _probes;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stoppingToken;
    private readonly UseGate _connects = new();
    private long _lastSweepTimestamp;
    private int _disposed;

    private TcpTransferAgent(TcpAgentOptions options, AgentCore core, Socket listener, TlsIdentity? tls)
    {
        Options = options;
        Core = core;
        Tls = tls;
        Media = new MediaTable(options.Media, core.Regions);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        BoundEndpoint = (IPEndPoint)listener.LocalEndPoint!;
        Endpoint = new TcpEndpoint(options.AdvertisedHost ?? options.Host, port).ToString();
        _metadata = new PeerMetadata(
            core.Identity, options.Kv, [.. Media.Describe(core.Identity), new MediumAddress("tcp", Encoding.UTF8.GetBytes(Endpoint))], options.HeartbeatInterval);
        _stoppingToken = _stopping.Token;
        _lastSweepTimestamp = options.Clock.GetTimestamp();
        _probes = options.ProbeBytes == 0 ? null : new ProbeDesk(options.Handler, core, options.ProbeBytes);
        _listener = new ConnectionListener(listener, core, options, _probes ?? options.Handler, _metadata, Media, tls);
        core.Swept += Sweep;
    }

    public AgentIdentity Identity => Core.Identity;

    public string Endpoint { get; }

    /// <summary>What the listener is bound to.</summary>
    public IPEndPoint BoundEndpoint { get; }

    public LeaseTable Leases => Core.Leases;

    public TransferCounts Counts => new(_peers.Count + _listener.ConnectionCount, Leases.Count, Core.Regions.Count, Core.TransfersInFlight, Core.Regions.Bytes, Media.NativeHandles);

    internal TcpAgentOptions Options { get; }

    internal AgentCore Core { get; }

    internal MediaTable Media { get; }

    internal TlsIdentity? Tls { get; }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="TransferConfigurationException">The options contradict themselves or this machine; the message says what to change.</exception>
    public static async Task<TcpTransferAgent> StartAsync(TcpAgentOptions options, CancellationToken cancellationToken)
    {
        options.ThrowIfInvalid();
        var address = await ResolveOwnAsync(options.Host, cancellationToken);
        if (options.SharedSecret is null && !IPAddress.IsLoopback(address))
        {
            throw new TransferConfigurationException(
                $"The side channel would listen on {address}, where others can reach it, without a shared secret. Set FERRY_SHARED_SECRET (SharedSecret) to the same "
                + $"value of at least {TcpAgentOptions.SharedSecretBytesMin} bytes on every node, or bind a loopback address.");
        }
        if (OwnAddresses.IsLoopbackUnawares(options.Host, address))
        {
            Log.HostIsLoopback(options.Logger, options.Host, address.ToString());
        }
        var tls = options.Tls is { } files ? TlsIdentity.Load(files) : null;
        var listener = Listen(options, address);
        var agent = new TcpTransferAgent(options, new AgentCore(options), listener, tls);
        Log.AgentStarted(options.Logger, agent.Identity, agent.Endpoint);
        return agent;
    }

    public MemoryRegion Register(nint address, long bytes, SharedBacking? backing = null) => Core.Regions.Add(address, bytes, backing);

    public async Task<ConnectResult> ConnectAsync(string endpoint, CancellationToken cancellationToken)
    {
        if (TcpEndpoint.TryParse(endpoint) is not { } parsed)
        {
            return Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Unreachable, $"'{endpoint}' is not HOST:PORT.");
        }
        if (!_connects.TryEnter())
        {
            return Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Closed, "The agent was disposed.");
        }
        var connections = new List<FrameConnection>();
        try
        {
            using var timeout = new CancellationTokenSource(Options.CallDeadline, Options.Clock);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stoppingToken, timeout.Token);
            var result = await ConnectAsync(parsed, connections, deadline.Token);
            if (result.Peer is not null)
            {
                connections.Clear(); // the peer owns them
            }
            return result;
        }
        catch (OperationCanceledException)
        {
            return cancellationToken.IsCancellationRequested
                ? Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Cancelled, $"Connecting to {endpoint} was cancelled.")
                : _stoppingToken.IsCancellationRequested
                    ? Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Closed, "The agent was disposed.")
                    : Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.TimedOut,
                        $"{endpoint} did not shake hands within {Options.CallDeadline}.");
        }
        catch (SocketException exception)
        {
            return Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.Unreachable, $"{endpoint}: {exception.Message}");
        }
        finally
        {
            foreach (var connection in connections)
            {
                connection.Dispose();
            }
            _connects.Leave();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        Core.Swept -= Sweep;
        await _stopping.CancelAsync();
        // A connect under way gives up now; one that was through already lists its peer before it leaves.
        await _connects.CloseAsync();
        foreach (var peer in _peers.Keys)
        {
            await peer.DisposeAsync();
        }
        await _listener.DisposeAsync();
        await Core.DisposeAsync();
        _probes?.Dispose();
        await Media.DisposeAsync();
        Tls?.Dispose();
    }

    internal static void Configure(Socket socket, TcpAgentOptions options)
    {
        socket.Tune();
        if (options.SocketBufferBytes > 0)
        {
            socket.SendBufferSize = options.SocketBufferBytes;
            socket.ReceiveBufferSize = options.SocketBufferBytes;
        }
    }

    internal void Forget(TcpPeer peer) => _peers.TryRemove(peer, out _);

    private async Task<ConnectResult> ConnectAsync(TcpEndpoint endpoint, List<FrameConnection> connections, CancellationToken deadline)
    {
        var outcome = await OpenAsync(endpoint, ConnectionKind.Control, 0, connections, deadline);
        if (!outcome.IsSuccess)
        {
            return new ConnectResult(null, outcome);
        }
        var control = connections[0];
        await control.WriteAsync(FrameType.Hello, TransferError.None, 0, SideChannelCodec.Encode(_metadata).Written.ToArray(), deadline);
        outcome = await ConnectionOpening.ReadReplyAsync(control, FrameType.HelloReply, deadline);
        if (!outcome.IsSuccess)
        {
            return new ConnectResult(null, outcome);
        }
        if (SideChannelCodec.DecodeHelloReply(control.Payload.Span, out var sessionId) is not { } remote)
        {
            return Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.ProtocolViolation, "The HelloReply is malformed.");
        }
        for (var i = 0; i < Options.StreamsPerPeer; i++)
        {
            outcome = await OwnThread.RunAsync("ferry-open", () => OpenAsync(endpoint, ConnectionKind.Data, sessionId, connections, deadline));
            if (!outcome.IsSuccess)
            {
                return new ConnectResult(null, outcome);
            }
        }
        return await JoinAsync(endpoint, remote, connections, deadline);
    }

    /// <summary>Chooses what carries the bytes and makes the peer of open connections.</summary>
    private async Task<ConnectResult> JoinAsync(TcpEndpoint endpoint, PeerMetadata remote, List<FrameConnection> connections, CancellationToken deadline)
    {
        var (name, opening) = await Media.OpenAsync(remote, deadline);
        if (name is null && !Options.AllowBytesOverTcp)
        {
            return Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Unreachable,
                $"{remote.Identity} at {endpoint} is reached by no medium that is allowed here ({opening.Reason}), and tcp is not one of them. Add tcp to UCX_TLS for a fallback.");
        }
        var streams = $"{Options.StreamsPerPeer} streams";
        var medium = name is null ? new MediumChoice("tcp", opening.Reason.Length == 0 ? streams : $"{streams}; {opening.Reason}") : new MediumChoice(name, opening.Reason);
        var peer = new TcpPeer(this, remote, connections[0], connections.Skip(1), medium, opening.Memory);
        _peers[peer] = true;
        peer.Begin();
        Log.PeerConnected(Options.Logger, remote.Identity, endpoint.ToString());
        Log.MediumChosen(Options.Logger, remote.Identity, medium.Name, medium.Reason);
        return new ConnectResult(peer, TransferOutcome.Success(TransferPhase.Handshake));
    }

    /// <summary>Dials, encrypts if so configured, and proves. The connection is in the list whatever the outcome: the caller closes it.</summary>
    private async Task<TransferOutcome> OpenAsync(
        TcpEndpoint endpoint, ConnectionKind kind, ulong sessionId, List<FrameConnection> connections, CancellationToken deadline)
    {
        var connection = await DialAsync(endpoint, blocks: kind == ConnectionKind.Data && Tls is null, deadline);
        connections.Add(connection);
        if (Tls is not null && await connection.SecureAsync(Tls, isServer: false, endpoint.Host, deadline) is { } error)
        {
            return TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.AuthenticationFailed,
                $"{error} TLS must be set on both nodes, with certificates of one authority.");
        }
        return await ConnectionOpening.OpenAsync(connection, kind, sessionId, Options.SecretBytes, Options.Entropy, deadline);
    }

    private async Task<FrameConnection> DialAsync(TcpEndpoint endpoint, bool blocks, CancellationToken deadline)
    {
        SocketException? last = null;
        foreach (var address in await TcpEndpoint.ResolveAsync(endpoint.Host, deadline))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                Configure(socket, Options);
                if (blocks)
                {
                    using var cancelling = deadline.UnsafeRegister(static socket => ((Socket)socket!).Dispose(), socket);
                    socket.Connect(address, endpoint.Port);
                }
                else
                {
                    await socket.ConnectAsync(address, endpoint.Port, deadline);
                }
                return new FrameConnection(socket, Options.Clock, blocks);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException && deadline.IsCancellationRequested)
            {
                socket.Dispose();
                throw new OperationCanceledException(deadline);
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                last = exception;
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
        }
        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    private void Sweep()
    {
        var clock = Options.Clock;
        var elapsed = clock.GetElapsedTime(_lastSweepTimestamp);
        _lastSweepTimestamp = clock.GetTimestamp();
        if (elapsed > Options.SweepInterval * LateSweepFactor)
        {
            return; // what came meanwhile lies unread in the sockets: look again after the loops have had their turn
        }
        foreach (var peer in _peers.Keys)
        {
            peer.Sweep();
        }
    }

    private static async Task<IPAddress> ResolveOwnAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return (await TcpEndpoint.ResolveAsync(host, cancellationToken))[0];
        }
        catch (SocketException exception)
        {
            throw new TransferConfigurationException(
                $"VLLM_NIXL_SIDE_CHANNEL_HOST is '{host}', which does not resolve ({exception.Message}). Give this node's own address.", exception);
        }
    }

    private static Socket Listen(TcpAgentOptions options, IPAddress address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(address, options.Port));
            if (!OwnAddresses.Contains(address))
            {
                // A kernel with ip_nonlocal_bind lets a foreign address be bound, and nobody ever arrives.
                throw new SocketException((int)SocketError.AddressNotAvailable);
            }
            listener.Listen(options.ConnectionCountMax);
            return listener;
        }
        catch (SocketException exception)
        {
            listener.Dispose();
            throw new TransferConfigurationException(exception.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable =>
                    $"VLLM_NIXL_SIDE_CHANNEL_HOST is '{options.Host}', which is no address of this machine ({OwnAddresses.Describe()}). It is the address to "
                    + "listen on, this node's own, on prefill and decode nodes alike; a decode node learns the prefill node's from each request (remote_host).",
                SocketError.AddressAlreadyInUse =>
                    $"Port {options.Port} of {address} is taken. Set VLLM_NIXL_SIDE_CHANNEL_PORT to a free one; engines on one host need one each.",
                _ => $"Listening on {address}:{options.Port} failed: {exception.Message}",
            }, exception);
        }
    }

    private static ConnectResult Failed(TransferPhase phase, TransferSide side, TransferError error, string message) =>
        new(null, TransferOutcome.Failed(phase, side, error, message));
}
