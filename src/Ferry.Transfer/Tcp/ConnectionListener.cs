using System.Collections.Concurrent;
using System.Net.Sockets;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The owner's side: accepts connections, lets them prove themselves, and runs each until it ends.</summary>
internal sealed class ConnectionListener : IAsyncDisposable
{
    private static readonly TimeSpan PauseAfterFailedAccept = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener;
    private readonly AgentCore _core;
    private readonly TcpAgentOptions _options;
    private readonly PeerMetadata _metadata;
    private readonly SideChannelServer _server;
    private readonly ConcurrentDictionary<FrameConnection, Task> _connections = new();
    private readonly ConcurrentDictionary<ulong, TcpSession> _sessions = new();
    private readonly ConcurrentDictionary<TcpReadServer, bool> _readServers = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;

    /// <param name="listener">Bound and listening; owned from now on.</param>
    public ConnectionListener(Socket listener, AgentCore core, TcpAgentOptions options, PeerMetadata metadata)
    {
        _listener = listener;
        _core = core;
        _options = options;
        _metadata = metadata;
        _server = new SideChannelServer(options.Handler, options.Logger);
        core.Swept += Sweep;
        _accepting = AcceptAllAsync(_stopping.Token);
    }

    public int ConnectionCount => _connections.Count;

    /// <summary>Stops accepting, says goodbye to every peer and waits until no connection is left.</summary>
    public async ValueTask DisposeAsync()
    {
        _core.Swept -= Sweep;
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Values);
    }

    private void Sweep()
    {
        foreach (var session in _sessions.Values)
        {
            session.Sweep();
        }
        foreach (var server in _readServers.Keys)
        {
            server.Sweep(_options.StallTimeout);
        }
    }

    private async Task AcceptAllAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Take(await _listener.AcceptAsync(stopping), stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                if (stopping.IsCancellationRequested)
                {
                    return;
                }
                // Out of file descriptors, most likely: that passes as connections close.
                Log.AcceptFailed(_options.Logger, PauseAfterFailedAccept, exception);
                await Task.Delay(PauseAfterFailedAccept, _options.Clock, CancellationToken.None);
            }
        }
    }

    private void Take(Socket socket, CancellationToken stopping)
    {
        TcpTransferAgent.Configure(socket, _options);
        var connection = new FrameConnection(socket, _options.Clock);
        var running = RunAsync(connection, _connections.Count >= _options.ConnectionCountMax, stopping);
        _connections[connection] = running;
        _ = running.ContinueWith((_, ended) => _connections.TryRemove((FrameConnection)ended!, out var _),
            connection, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(FrameConnection connection, bool isOverloaded, CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            using var timeout = new CancellationTokenSource(_options.CallDeadline, _options.Clock);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
            if (isOverloaded)
            {
                await ConnectionOpening.RefuseAsync(connection, FrameType.Challenge, TransferError.Overloaded,
                    $"{_options.ConnectionCountMax} connections are open, the most allowed (ConnectionCountMax).", deadline.Token);
                Log.ConnectionRefused(_options.Logger, connection.RemoteName, TransferError.Overloaded, "Too many connections.");
                return;
            }
            var (outcome, kind, sessionId) = await ConnectionOpening.AcceptAsync(
                connection, _options.SecretBytes, _options.Entropy, deadline.Token);
            if (!outcome.IsSuccess)
            {
                Log.ConnectionRefused(_options.Logger, connection.RemoteName, outcome.Error, outcome.Message);
            }
            else if (kind == ConnectionKind.Control)
            {
                await RunSessionAsync(connection, deadline.Token, stopping);
            }
            else
            {
                await RunReadsAsync(connection, sessionId, deadline.Token, stopping);
            }
        }
        catch (OperationCanceledException)
        {
            Log.ConnectionClosed(_options.Logger, connection.RemoteName,
                stopping.IsCancellationRequested ? "this agent closes." : "its handshake took too long.");
        }
#pragma warning disable CA1031 // The edge of a connection: a defect here must not take the other connections along.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.ConnectionFaulted(_options.Logger, connection.RemoteName, exception);
        }
        finally
        {
            connection.Dispose();
        }
    }

#pragma warning disable CA1068 // The first token bounds the handshake, the second the connection.
    private async Task RunSessionAsync(FrameConnection connection, CancellationToken handshake, CancellationToken stopping)
    {
        await connection.WriteAsync(FrameType.Accept, TransferError.None, 0, default, handshake);
        var frame = await connection.ReadAsync(FrameHeader.PayloadBytesMax, handshake);
        var peer = frame.IsSuccess && frame.Header.Type == FrameType.Hello ? SideChannelCodec.DecodeMetadata(connection.Payload.Span) : null;
        if (peer is null || peer.Identity == _core.Identity)
        {
            var (error, message) = peer is null
                ? (TransferError.ProtocolViolation, frame.IsSuccess ? "A well-formed Hello was due." : frame.Message)
                : (TransferError.ConnectedToSelf, $"{_core.Identity} has connected to itself: the peer's host and port lead to this agent. "
                    + "On each node VLLM_NIXL_SIDE_CHANNEL_HOST is that node's own address, never the peer's.");
            await ConnectionOpening.RefuseAsync(connection, FrameType.HelloReply, frame.IsSuccess ? error : frame.Error, message, handshake);
            Log.ConnectionRefused(_options.Logger, connection.RemoteName, error, message);
            return;
        }
        using var session = new TcpSession(_options.Entropy.NextId(), peer, connection, _server, _options);
        _sessions[session.Id] = session;
        _core.CountSessionOpened(peer.Identity);
        try
        {
            await connection.WriteAsync(FrameType.HelloReply, TransferError.None, 0,
                SideChannelCodec.EncodeHelloReply(session.Id, _metadata).Written.ToArray(), handshake);
            Log.PeerAccepted(_options.Logger, peer.Identity, connection.RemoteName);
            Log.PeerLeft(_options.Logger, peer.Identity, connection.RemoteName, await session.RunAsync(stopping));
        }
        finally
        {
            _sessions.TryRemove(session.Id, out _);
            _core.CountSessionClosed(peer.Identity);
        }
    }

    private async Task RunReadsAsync(FrameConnection connection, ulong sessionId, CancellationToken handshake, CancellationToken stopping)
    {
        if (!_sessions.TryGetValue(sessionId, out var session))
        {
            await ConnectionOpening.RefuseAsync(
                connection, FrameType.Accept, TransferError.Refused, "No control connection has opened this session.", handshake);
            return;
        }
        await connection.WriteAsync(FrameType.Accept, TransferError.None, 0, default, handshake);
        using var server = new TcpReadServer(connection, _core, session.Peer.Identity);
        _readServers[server] = true;
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, session.Ending);
            // A cancelled send would leave the rest of its bytes out: break the connection instead, which ends every wait on it.
            await using var aborting = ending.Token.Register(() => connection.Abort("The session ends."));
            var reason = await server.RunAsync(CancellationToken.None);
            if (!ending.IsCancellationRequested)
            {
                Log.ConnectionClosed(_options.Logger, connection.RemoteName, reason);
            }
        }
        finally
        {
            _readServers.TryRemove(server, out _);
        }
    }
#pragma warning restore CA1068
}
