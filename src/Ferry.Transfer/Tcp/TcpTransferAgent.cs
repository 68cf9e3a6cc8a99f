using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The agent that is always there: side channel and reads over TCP, straight from and into registered memory.</summary>
public sealed class TcpTransferAgent : ITransferAgent
{
    // A sweep this much later than due means that this process stood still, not that its peers did.
    private const int LateSweepFactor = 3;

    private readonly ConcurrentDictionary<TcpPeer, bool> _peers = new();
    private readonly ConnectionListener _listener;
    private readonly PeerMetadata _metadata;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stoppingToken;
    private readonly UseGate _connects = new();
    private long _lastSweepTimestamp;
    private int _disposed;

    private TcpTransferAgent(TcpAgentOptions options, AgentCore core, Socket listener)
    {
        Options = options;
        Core = core;
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        BoundEndpoint = (IPEndPoint)listener.LocalEndPoint!;
        Endpoint = new TcpEndpoint(options.AdvertisedHost ?? options.Host, port).ToString();
        _metadata = new PeerMetadata(core.Identity, options.Kv, [new MediumAddress("tcp", Encoding.UTF8.GetBytes(Endpoint))]);
        _stoppingToken = _stopping.Token;
        _lastSweepTimestamp = options.Clock.GetTimestamp();
        _listener = new ConnectionListener(listener, core, options, _metadata);
        core.Swept += Sweep;
    }

    public AgentIdentity Identity => Core.Identity;

    public string Endpoint { get; }

    /// <summary>What the listener is bound to.</summary>
    public IPEndPoint BoundEndpoint { get; }

    public LeaseTable Leases => Core.Leases;

    public TransferCounts Counts => new(_peers.Count + _listener.ConnectionCount, Leases.Count, Core.Regions.Count, Core.ReadsInFlight);

    internal TcpAgentOptions Options { get; }

    internal AgentCore Core { get; }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="TransferConfigurationException">The options contradict themselves or this machine; the message says what to change.</exception>
    public static async Task<TcpTransferAgent> StartAsync(TcpAgentOptions options, CancellationToken cancellationToken)
    {
        options.ThrowIfInvalid();
        var address = await ResolveOwnAsync(options.Host, cancellationToken);
        if (options.SharedSecret is null && !IPAddress.IsLoopback(address))
        {
            throw new TransferConfigurationException(
                $"The side channel would listen on {address}, where others can reach it, without a shared secret. Set SharedSecret to the same "
                + $"value of at least {TcpAgentOptions.SharedSecretBytesMin} bytes on every node, or bind a loopback address.");
        }
        var listener = Listen(options, address);
        var agent = new TcpTransferAgent(options, new AgentCore(options), listener);
        Log.AgentStarted(options.Logger, agent.Identity, agent.Endpoint);
        return agent;
    }

    public MemoryRegion Register(nint address, long bytes) => Core.Regions.Add(address, bytes);

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
    }

    internal static void Configure(Socket socket, TcpAgentOptions options)
    {
        socket.NoDelay = true;
        if (options.SocketBufferBytes > 0)
        {
            socket.SendBufferSize = options.SocketBufferBytes;
            socket.ReceiveBufferSize = options.SocketBufferBytes;
        }
    }

    internal void Forget(TcpPeer peer) => _peers.TryRemove(peer, out _);

    private async Task<ConnectResult> ConnectAsync(TcpEndpoint endpoint, List<FrameConnection> connections, CancellationToken deadline)
    {
        var secret = Options.SecretBytes;
        var control = await DialAsync(endpoint, deadline);
        connections.Add(control);
        var outcome = await ConnectionOpening.OpenAsync(control, ConnectionKind.Control, 0, secret, Options.Entropy, deadline);
        if (!outcome.IsSuccess)
        {
            return new ConnectResult(null, outcome);
        }
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
            var data = await DialAsync(endpoint, deadline);
            connections.Add(data);
            outcome = await ConnectionOpening.OpenAsync(data, ConnectionKind.Data, sessionId, secret, Options.Entropy, deadline);
            if (!outcome.IsSuccess)
            {
                return new ConnectResult(null, outcome);
            }
        }
        var peer = new TcpPeer(this, remote, control, connections.Skip(1));
        _peers[peer] = true;
        peer.Begin();
        Log.PeerConnected(Options.Logger, remote.Identity, endpoint.ToString());
        return new ConnectResult(peer, outcome);
    }

    private async Task<FrameConnection> DialAsync(TcpEndpoint endpoint, CancellationToken deadline)
    {
        SocketException? last = null;
        foreach (var address in await TcpEndpoint.ResolveAsync(endpoint.Host, deadline))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                Configure(socket, Options);
                await socket.ConnectAsync(address, endpoint.Port, deadline);
                return new FrameConnection(socket, Options.Clock);
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
            listener.Listen(options.ConnectionCountMax);
            return listener;
        }
        catch (SocketException exception)
        {
            listener.Dispose();
            throw new TransferConfigurationException(exception.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable =>
                    $"VLLM_NIXL_SIDE_CHANNEL_HOST is '{options.Host}', which is no address of this machine. It is the address to listen on, this "
                    + "node's own, on prefill and decode nodes alike; a decode node learns the prefill node's from each request (remote_host).",
                SocketError.AddressAlreadyInUse =>
                    $"Port {options.Port} of {address} is taken. Set VLLM_NIXL_SIDE_CHANNEL_PORT to a free one; engines on one host need one each.",
                _ => $"Listening on {address}:{options.Port} failed: {exception.Message}",
            }, exception);
        }
    }

    private static ConnectResult Failed(TransferPhase phase, TransferSide side, TransferError error, string message) =>
        new(null, TransferOutcome.Failed(phase, side, error, message));
}
