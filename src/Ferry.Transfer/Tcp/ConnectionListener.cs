using System.Collections.Concurrent;
using System.Net.Sockets;
using Ferry.Transfer.Media;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Tls;
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
    private readonly ConcurrentDictionary<DataServer, bool> _dataServers = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private readonly MediaTable _media;
    private readonly TlsIdentity? _tls;
    private long _lastSweepTimestamp;

    /// <param name="listener">Bound and listening; owned from now on.</param>
    public ConnectionListener(
        Socket listener, AgentCore core, TcpAgentOptions options, ISideChannelHandler handler, PeerMetadata metadata, MediaTable media, TlsIdentity? tls)
    {
        _media = media;
        _tls = tls;
        _lastSweepTimestamp = options.Clock.GetTimestamp();
        _listener = listener;
        _core = core;
        _options = options;
        _metadata = metadata;
        _server = new SideChannelServer(handler, options.Logger, media.TryDescribe);
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
        _connections.Clear(); // a task is complete a moment before its continuation takes it off the list
    }

    private void Sweep()
    {
        var elapsed = _options.Clock.GetElapsedTime(_lastSweepTimestamp);
        _lastSweepTimestamp = _options.Clock.GetTimestamp();
        if (elapsed > _options.SweepInterval * TcpTransferAgent.LateSweepFactor)
        {
            return; // This process stood still: what its peers said meanwhile lies unread.
        }
        foreach (var session in _sessions.Values)
        {
            session.Sweep();
        }
        foreach (var server in _dataServers.Keys)
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
        var connection = new FrameConnection(socket, _options.Clock, blocks: _tls is null);
        var running = RunAsync(connection, _connections.Count >= _options.ConnectionCountMax, stopping);
        _connections[connection] = running;
        _ = running.ContinueWith((_, ended) => _connections.TryRemove((FrameConnection)ended!, out var _),
            connection, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(FrameConnection connection, bool isOverloaded, CancellationToken stopping)
    {
        try
        {
            using var timeout = new CancellationTokenSource(_options.CallDeadline, _options.Clock);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
            if (isOverloaded)
            {
                connection.StopBlocking(); // No thread for one too many.
                await ConnectionOpening.RefuseAsync(connection, FrameType.Challenge, TransferError.Overloaded,
                    $"{_options.ConnectionCountMax} connections are open, the most allowed (ConnectionCountMax).", deadline.Token);
                Log.ConnectionRefused(_options.Logger, connection.RemoteName, TransferError.Overloaded, "Too many connections.");
                return;
            }
            var opened = await OwnThread.RunAsync("ferry-accept", () => OpenAsync(connection, deadline.Token));
            if (opened is not var (kind, sessionId))
            {
                return;
            }
            if (kind == ConnectionKind.Data)
            {
                await OwnThread.RunAsync("ferry-serve", () => RunDataAsync(connection, sessionId, deadline.Token, stopping));
                return;
            }
            connection.StopBlocking();
            await RunSessionAsync(connection, deadline.Token, stopping);
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

    // Null: it was refused, and told so.
    private async Task<(ConnectionKind Kind, ulong SessionId)?> OpenAsync(FrameConnection connection, CancellationToken deadline)
    {
        if (_tls is not null && await SecureAsync(connection, deadline) is { } unsafely)
        {
            Log.ConnectionRefused(_options.Logger, connection.RemoteName, TransferError.AuthenticationFailed, unsafely);
            return null;
        }
        var (outcome, kind, sessionId) = await ConnectionOpening.AcceptAsync(connection, _options.SecretBytes, _options.Entropy, deadline);
        if (!outcome.IsSuccess)
        {
            Log.ConnectionRefused(_options.Logger, connection.RemoteName, outcome.Error, outcome.Message);
            return null;
        }
        return (kind, sessionId);
    }

    // One that comes without TLS is told so in its own words; null when the connection is encrypted.
    private async Task<string?> SecureAsync(FrameConnection connection, CancellationToken deadline)
    {
        const byte TlsHandshake = 0x16;
        if (await connection.PeekAsync(deadline) is not TlsHandshake)
        {
            const string Message = "This agent takes TLS connections only. Give the peer a certificate of the same authority.";
            await ConnectionOpening.RefuseAsync(connection, FrameType.Challenge, TransferError.AuthenticationFailed, Message, deadline);
            return Message;
        }
        return await connection.SecureAsync(_tls!, isServer: true, string.Empty, deadline);
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
        await using var session = new TcpSession(_options.Entropy.NextId(), peer, connection, _server, _media, _options);
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

    // Always true.
    private async Task<bool> RunDataAsync(FrameConnection connection, ulong sessionId, CancellationToken handshake, CancellationToken stopping)
    {
        if (!_sessions.TryGetValue(sessionId, out var session) || !session.TryCountDataOpened(connection))
        {
            await ConnectionOpening.RefuseAsync(
                connection, FrameType.Accept, TransferError.Refused, "No control connection has opened this session.", handshake);
            return true;
        }
        using var server = new DataServer(connection, _core, session.Peer, new FetchedWrites(session.Memory), _options.AllowBytesOverTcp);
        _dataServers[server] = true;
        try
        {
            await connection.WriteAsync(FrameType.Accept, TransferError.None, 0, default, handshake);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, session.Ending);
            // A cancelled send would leave the rest of its bytes out: break the connection instead, which ends every wait on it.
            await using var aborting = ending.Token.Register(() => connection.Abort("The session ends."));
            var reason = await server.RunAsync(CancellationToken.None);
            if (!ending.IsCancellationRequested)
            {
                Log.ConnectionClosed(_options.Logger, connection.RemoteName, reason);
            }
            return true;
        }
        finally
        {
            _dataServers.TryRemove(server, out _);
            session.CountDataClosed(connection);
        }
    }
#pragma warning restore CA1068
}
