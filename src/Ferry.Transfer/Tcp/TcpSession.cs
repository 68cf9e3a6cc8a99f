using System.Collections.Concurrent;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The owner's end of one peer's control connection: pings, calls, and the data connections that belong to it.</summary>
internal sealed class TcpSession : IDisposable
{
    private readonly FrameConnection _control;
    private readonly SideChannelServer _server;
    private readonly TcpAgentOptions _options;
    private readonly SemaphoreSlim _callRoom;
    private readonly ConcurrentDictionary<Task, bool> _calls = new();
    private readonly CancellationTokenSource _ending = new();

    public TcpSession(ulong id, PeerMetadata peer, FrameConnection control, SideChannelServer server, TcpAgentOptions options)
    {
        Id = id;
        Peer = peer;
        _control = control;
        _server = server;
        _options = options;
        _callRoom = new SemaphoreSlim(options.CallCountMax);
        Ending = _ending.Token;
    }

    /// <summary>Random: knowing it lets a connection read in this session's name.</summary>
    public ulong Id { get; }

    public PeerMetadata Peer { get; }

    /// <summary>Cancelled when the control connection has ended; data connections end with it.</summary>
    public CancellationToken Ending { get; }

    /// <summary>Answers until the connection ends; returns why. All calls have ended by then.</summary>
    public async Task<string> RunAsync(CancellationToken stopping)
    {
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
        if (_control.Silence > _options.IdleTimeout)
        {
            _control.Abort($"The peer said nothing for {_options.IdleTimeout}.");
        }
    }

    /// <summary>Only once <see cref="RunAsync"/> has ended.</summary>
    public void Dispose()
    {
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
                case FrameType.Locate or FrameType.Extend or FrameType.Release:
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
