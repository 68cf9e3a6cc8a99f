using System.Collections.Concurrent;
using Ferry.Transfer.Media;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The owner's end of one peer's control connection: pings, calls, and the data connections that belong to it.</summary>
internal sealed class TcpSession : IAsyncDisposable
{
    private readonly FrameConnection _control;
    private readonly SideChannelServer _server;
    private readonly TcpAgentOptions _options;
    private readonly SemaphoreSlim _callRoom;
    private readonly ConcurrentDictionary<Task, bool> _calls = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly UseGate _data = new();
    private readonly ConcurrentDictionary<FrameConnection, bool> _dataConnections = new();

    public TcpSession(ulong id, PeerMetadata peer, FrameConnection control, SideChannelServer server, MediaTable media, TcpAgentOptions options)
    {
        Id = id;
        Peer = peer;
        Memory = new SessionMemory(media, peer);
        _control = control;
        _server = server;
        _options = options;
        _callRoom = new SemaphoreSlim(options.CallCountMax);
        Ending = _ending.Token;
    }

    /// <summary>Random: knowing it lets a connection transfer in this session's name.</summary>
    public ulong Id { get; }

    public PeerMetadata Peer { get; }

    /// <summary>The way into the peer's memory, for its writes.</summary>
    public SessionMemory Memory { get; }

    /// <summary>Cancelled when the control connection has ended; data connections end with it.</summary>
    public CancellationToken Ending { get; }

    /// <summary>Answers until the connection ends; returns why. All calls have ended by then.</summary>
    public async Task<string> RunAsync(CancellationToken stopping)
    {
        Memory.Begin(Ending);
        try
        {
            return await AnswerAllAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            const string Reason = "The owner closes.";
            await SayGoodbyeAsync(Reason);
            return Reason;
        }
        finally
        {
            await _ending.CancelAsync();
            _control.Abort("The session has ended.");
            await Task.WhenAll(_calls.Keys);
        }
    }

    /// <summary>Closes a session whose peer has fallen silent. Called at every sweep.</summary>
    public void Sweep()
    {
        // A peer that pings seldom says so in its Hello, and is given three of its intervals; within bounds, since it is the peer's word.
        var asked = Peer.Heartbeat * 3;
        var patience = asked <= _options.IdleTimeout ? _options.IdleTimeout : asked < _options.IdleTimeoutMax ? asked : _options.IdleTimeoutMax;
        // A busy peer may be late with its pings while it takes bytes: either shows that it lives.
        if (_control.Silence > patience && _dataConnections.Keys.All(data => data.Silence > patience))
        {
            _control.Abort($"The peer said nothing for {patience}.");
        }
    }

    /// <summary>A data connection of this session has begun; false once the session ends. Each true is paired with one <see cref="CountDataClosed"/>.</summary>
    public bool TryCountDataOpened(FrameConnection data)
    {
        if (!_data.TryEnter())
        {
            return false;
        }
        _dataConnections[data] = true;
        return true;
    }

    public void CountDataClosed(FrameConnection data)
    {
        _dataConnections.TryRemove(data, out _);
        _data.Leave();
    }

    /// <summary>Only once <see cref="RunAsync"/> has ended; waits for the data connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _data.CloseAsync();
        await Memory.DisposeAsync();
        _callRoom.Dispose();
        _ending.Dispose();
    }

    private async Task<string> AnswerAllAsync(CancellationToken stopping)
    {
        while (true)
        {
            var frame = await _control.ReadAsync(FrameHeader.PayloadBytesMax, stopping);
            if (!frame.IsSuccess)
            {
                return frame.Message;
            }
            switch (frame.Header.Type)
            {
                case FrameType.Ping when frame.Header.PayloadBytes == 0:
                    if (await _control.WriteAsync(FrameType.Pong, TransferError.None, frame.Header.Correlation, default, stopping) is { } error)
                    {
                        return error;
                    }
                    break;
                case FrameType.Goodbye:
                    return SideChannelCodec.DecodeMessage(_control.Payload.Span);
                case FrameType.Locate or FrameType.Extend or FrameType.Release or FrameType.Prepare or FrameType.Notify or FrameType.Region or FrameType.Ask:
                    // The payload is the next frame's in a moment. Waiting for room stops the reading, which is the back-pressure.
                    var payload = _control.Payload.ToArray();
                    await _callRoom.WaitAsync(stopping);
                    var call = AnswerAsync(frame.Header, payload, stopping);
                    _calls[call] = true;
                    _ = call.ContinueWith(static (ended, calls) => ((ConcurrentDictionary<Task, bool>)calls!).TryRemove(ended, out _),
                        _calls, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                    break;
                default:
                    return $"{frame.Header.Type} is not a request.";
            }
        }
    }

    private async Task AnswerAsync(FrameHeader request, byte[] payload, CancellationToken stopping)
    {
        try
        {
            using var abandoning = CancellationTokenSource.CreateLinkedTokenSource(stopping, Ending);
            var (type, status, reply) = await _server.AnswerAsync(Peer, request.Type, payload, abandoning.Token);
            await _control.WriteAsync(type, status, request.Correlation, reply, abandoning.Token);
        }
        catch (OperationCanceledException)
        {
            // Nobody is left to be answered.
        }
        finally
        {
            _callRoom.Release();
        }
    }

    private async Task SayGoodbyeAsync(string reason)
    {
        using var patience = new CancellationTokenSource(_options.SweepInterval, _options.Clock);
        try
        {
            await _control.WriteAsync(
                FrameType.Goodbye, TransferError.None, 0, SideChannelCodec.EncodeMessage(reason).Written.ToArray(), patience.Token);
        }
        catch (OperationCanceledException)
        {
            // A peer that does not read does not hear it.
        }
    }
}
