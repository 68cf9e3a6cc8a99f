using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The reader's end of all connections to one peer: one for calls and pings, some for bytes.</summary>
/// <remarks>Any of them failing fails all: what is left of a peer after that is another connect away.</remarks>
internal sealed class TcpPeer : ITransferPeer
{
    private readonly TcpTransferAgent _agent;
    private readonly FrameConnection _control;
    private readonly TcpReadStream[] _streams;
    private readonly ReadQueue _queue;
    private readonly SideChannelClient _client;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<CallReply>> _calls = new();
    private readonly SemaphoreSlim _callRoom;
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationToken _closingToken;
    private readonly TaskCompletionSource<TransferOutcome> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StrongBox<TransferOutcome>? _reason; // why the peer closed, once it has
    private ulong _lastCorrelation;
    private Task _running = Task.CompletedTask;

    public TcpPeer(TcpTransferAgent agent, PeerMetadata remote, FrameConnection control, IEnumerable<FrameConnection> data)
    {
        _agent = agent;
        Remote = remote;
        _control = control;
        _queue = new ReadQueue();
        _streams = [.. data.Select(connection => new TcpReadStream(connection, _queue, agent.Options))];
        _client = new SideChannelClient(CallAsync);
        _callRoom = new SemaphoreSlim(agent.Options.CallCountMax);
        _closingToken = _closing.Token;
    }

    public PeerMetadata Remote { get; }

    public Task<TransferOutcome> Closed => _closed.Task;

    /// <summary>Starts the loops. Called once, after the agent has listed the peer.</summary>
    public void Begin() => _running = RunAsync();

    public Task<LocateResult> LocateAsync(LocateRequest request, CancellationToken cancellationToken) => _client.LocateAsync(request, cancellationToken);

    public Task<ExtendResult> ExtendAsync(ExtendRequest request, CancellationToken cancellationToken) => _client.ExtendAsync(request, cancellationToken);

    public Task<TransferOutcome> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) => _client.ReleaseAsync(request, cancellationToken);

    public async Task<TransferOutcome> ReadAsync(ReadOnlyMemory<ReadDescriptor> descriptors, CancellationToken cancellationToken)
    {
        if (Reason is { } closed)
        {
            return closed;
        }
        var plan = _agent.Core.TryBeginRead(descriptors, out var refusal);
        if (plan is null)
        {
            return refusal;
        }
        try
        {
            var read = new TcpRead(plan);
            if (!_queue.TryAdd(read))
            {
                return Reason ?? Unreachable();
            }
            await using var cancelling = cancellationToken.Register(() => read.Fail(TransferOutcome.Failed(
                TransferPhase.Read, TransferSide.Local, TransferError.Cancelled, $"A read of {plan.Bytes} bytes was cancelled.")));
            await read.Done;
            // A stream that broke tells what it saw; what the peer as a whole knows (silence, disposal) says more.
            return read.Outcome is { Error: TransferError.ConnectionLost or TransferError.Closed } lost && Reason is { } reason
                ? reason with { Phase = lost.Phase }
                : read.Outcome;
        }
        finally
        {
            _agent.Core.EndRead(plan);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Close(TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Closed, "The peer object was disposed."));
        await _running;
    }

    /// <summary>Notices a dead owner: no pong, or no byte of a read, for too long. Called at every sweep.</summary>
    public void Sweep()
    {
        var deadAfter = _agent.Options.DeadAfter;
        if (_control.Silence > deadAfter)
        {
            Close(Dead($"{Remote.Identity} has shown no sign of life for {deadAfter}."));
        }
        else if (_streams.Any(stream => stream.IsStalled()))
        {
            Close(Dead($"{Remote.Identity} has sent no byte of a read for {deadAfter}."));
        }
    }

    private TransferOutcome? Reason => Volatile.Read(ref _reason)?.Value;

    private async Task RunAsync()
    {
        List<Task> loops = [ReceiveRepliesAsync(), BeatAsync()];
        foreach (var stream in _streams)
        {
            loops.Add(RunStreamAsync(stream));
        }
        await Task.WhenAll(loops);
        var reason = Reason ?? Unreachable();
        _queue.Close(reason);
        foreach (var correlation in _calls.Keys)
        {
            EndCall(correlation, new CallReply(reason with { Phase = TransferPhase.SideChannel }, []));
        }
        _agent.Forget(this);
        _control.Dispose();
        foreach (var stream in _streams)
        {
            stream.Dispose();
        }
        _closed.SetResult(reason);
    }

    private async Task RunStreamAsync(TcpReadStream stream) => Close(await stream.RunAsync(_closingToken));

    private async Task BeatAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(_agent.Options.HeartbeatInterval, _agent.Options.Clock, _closingToken);
                if (await _control.WriteAsync(FrameType.Ping, TransferError.None, 0, default, _closingToken) is { } error)
                {
                    Close(Lost(error));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The peer closes.
        }
    }

    private async Task ReceiveRepliesAsync()
    {
        try
        {
            while (true)
            {
                var frame = await _control.ReadAsync(FrameHeader.PayloadBytesMax, _closingToken);
                if (!frame.IsSuccess)
                {
                    Close(Lost(frame.Message) with { Error = frame.Error });
                    return;
                }
                switch (frame.Header.Type)
                {
                    case FrameType.Pong:
                        break;
                    case FrameType.Goodbye:
                        Close(Lost(SideChannelCodec.DecodeMessage(_control.Payload.Span)));
                        return;
                    case FrameType.LocateReply or FrameType.ExtendReply or FrameType.ReleaseReply:
                        EndCall(frame.Header.Correlation, frame.Header.Status == TransferError.None
                            ? new CallReply(TransferOutcome.Success(TransferPhase.SideChannel), _control.Payload.ToArray())
                            : new CallReply(SideChannelClient.Refusal(TransferPhase.SideChannel, frame.Header.Status, _control.Payload.Span), []));
                        break;
                    default:
                        Close(Lost($"{frame.Header.Type} is not a reply.") with { Error = TransferError.ProtocolViolation });
                        return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The peer closes.
        }
    }

    private async Task<CallReply> CallAsync(FrameType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_agent.Options.CallDeadline, _agent.Options.Clock);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closingToken, timeout.Token);
        var correlation = Interlocked.Increment(ref _lastCorrelation);
        try
        {
            await _callRoom.WaitAsync(deadline.Token);
            try
            {
                var waiting = new TaskCompletionSource<CallReply>(TaskCreationOptions.RunContinuationsAsynchronously);
                _calls[correlation] = waiting;
                // Not the caller's token: a frame is sent whole or the connection is lost.
                if (await _control.WriteAsync(type, TransferError.None, correlation, payload, _closingToken) is { } error)
                {
                    Close(Lost(error));
                }
                return await waiting.Task.WaitAsync(deadline.Token);
            }
            finally
            {
                _calls.TryRemove(correlation, out _);
                _callRoom.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return new CallReply(Interrupted(type, cancellationToken), []);
        }
    }

    private TransferOutcome Interrupted(FrameType type, CancellationToken callers) =>
        callers.IsCancellationRequested
            ? TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Local, TransferError.Cancelled, $"{type} was cancelled.")
            : Reason is { } reason
                ? reason with { Phase = TransferPhase.SideChannel }
                : TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.TimedOut,
                    $"{type}: {Remote.Identity} did not answer within {_agent.Options.CallDeadline}.");

    private void EndCall(ulong correlation, CallReply reply)
    {
        // One that nobody waits for any more came after its deadline.
        if (_calls.TryGetValue(correlation, out var waiting))
        {
            waiting.TrySetResult(reply);
        }
    }

    private void Close(TransferOutcome reason)
    {
        if (Interlocked.CompareExchange(ref _reason, new StrongBox<TransferOutcome>(reason), null) is not null)
        {
            return;
        }
        if (reason.Error != TransferError.Closed)
        {
            Log.PeerLost(_agent.Options.Logger, Remote.Identity, reason);
        }
        _closing.Cancel();
        _control.Abort(reason.Message);
        foreach (var stream in _streams)
        {
            stream.Abort(reason.Message);
        }
    }

    private static TransferOutcome Lost(string message) =>
        TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.ConnectionLost, message);

    private static TransferOutcome Dead(string message) =>
        TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.TimedOut, message);

    private static TransferOutcome Unreachable() => Lost("The peer has closed.");
}
