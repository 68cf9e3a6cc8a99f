using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The asker's end of all connections to one peer: one for calls and pings, some for transfers.</summary>
/// <remarks>Any of them failing fails all: what is left of a peer after that is another connect away.</remarks>
internal sealed class TcpPeer : IInPlacePeer
{
    private readonly TcpTransferAgent _agent;
    private readonly FrameConnection _control;
    private readonly IDataStream[] _streams;
    private readonly RemoteMemory? _memory; // null: bytes travel in the streams
    private readonly PeerRegions _regions;
    private readonly TransferQueue _queue;
    private readonly SideChannelClient _client;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<CallReply>> _calls = new();
    private readonly SemaphoreSlim _callRoom;
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationToken _closingToken;
    private readonly TaskCompletionSource<TransferOutcome> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StrongBox<TransferOutcome>? _reason; // why the peer closed, once it has
    private ulong _lastCorrelation;
    private Task _running = Task.CompletedTask;

    /// <param name="memory">The way into the peer's memory by a medium other than TCP, owned from now on; null for none.</param>
    public TcpPeer(
        TcpTransferAgent agent, PeerMetadata remote, FrameConnection control, IEnumerable<FrameConnection> data, MediumChoice medium, RemoteMemory? memory)
    {
        _agent = agent;
        Remote = remote;
        _control = control;
        _queue = new TransferQueue();
        _client = new SideChannelClient(CallAsync);
        Medium = medium;
        _memory = memory;
        _regions = new PeerRegions(medium.Name, agent.Media, _client.DescribeRegionAsync);
        _streams = [.. data.Select(connection => memory is null
            ? (IDataStream)new WireStream(connection, _queue, agent.Options)
            : new InPlaceStream(connection, _queue, memory, _regions, agent.Options))];
        _callRoom = new SemaphoreSlim(agent.Options.CallCountMax);
        _closingToken = _closing.Token;
    }

    public PeerMetadata Remote { get; }

    public MediumChoice Medium { get; }

    public Task<TransferOutcome> Closed => _closed.Task;

    /// <summary>Starts the loops. Called once, after the agent has listed the peer.</summary>
    public void Begin() => _running = RunAsync();

    public Task<LocateResult> LocateAsync(LocateRequest request, CancellationToken cancellationToken) => _client.LocateAsync(request, cancellationToken);

    public Task<ExtendResult> ExtendAsync(ExtendRequest request, CancellationToken cancellationToken) => _client.ExtendAsync(request, cancellationToken);

    public Task<TransferOutcome> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) => _client.ReleaseAsync(request, cancellationToken);

    public Task<AskResult> AskAsync(ReadOnlyMemory<byte> question, CancellationToken cancellationToken) => _client.AskAsync(question, cancellationToken);

    public Task<PrepareResult> PrepareAsync(PrepareRequest request, CancellationToken cancellationToken) => _client.PrepareAsync(request, cancellationToken);

    public Task<TransferOutcome> NotifyAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => _client.NotifyAsync(message, cancellationToken);

    public Task<TransferOutcome> ReadAsync(ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken) =>
        TransferAsync(TransferDirection.Read, descriptors, cancellationToken);

    public Task<TransferOutcome> WriteAsync(ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken) =>
        TransferAsync(TransferDirection.Write, descriptors, cancellationToken);

    // With checksums bytes are compared as they have come; read in place they may be others by the time that they are compared.
    public async Task<(InPlaceReach Reach, TransferOutcome? Failure)> ReachAsync(uint regionId, long offset, long bytes, CancellationToken cancellationToken)
    {
        if (_memory is null || _agent.Options.Transfers.Checksum)
        {
            return (InPlaceReach.None, null);
        }
        if (_memory.CanMap && !_memory.Knows(regionId) && await _regions.ReachAsync(regionId, _memory, cancellationToken) is { } failure)
        {
            return (InPlaceReach.None, failure);
        }
        return (_memory.Maps(regionId, offset, bytes) ? InPlaceReach.Mapped : InPlaceReach.Copied, null);
    }

    public Task<TransferOutcome> ReadInPlaceAsync(ReadOnlyMemory<TransferDescriptor> held, InPlaceRead reading, CancellationToken cancellationToken) =>
        TransferAsync(TransferDirection.Read, held, cancellationToken, reading);

    public async ValueTask DisposeAsync()
    {
        Close(TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Closed, "The peer object was disposed."));
        await _running;
    }

    /// <summary>Notices a dead owner: no pong, or no byte of a read, for too long. Called at every sweep.</summary>
    public void Sweep()
    {
        var deadAfter = _agent.Options.DeadAfter;
        // A busy owner may be late with its pongs while its bytes come: either shows that it lives.
        if (_control.Silence > deadAfter && _streams.All(stream => stream.Silence > deadAfter))
        {
            Close(Dead($"{Remote.Identity} has shown no sign of life for {deadAfter}."));
        }
        else if (_streams.Any(stream => stream.IsStalled()))
        {
            Close(Dead($"{Remote.Identity} has moved no byte of a transfer for {deadAfter}."));
        }
    }

    private async Task<TransferOutcome> TransferAsync(
        TransferDirection direction, ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken, InPlaceRead? inPlace = null)
    {
        if (Reason is { } closed)
        {
            return closed;
        }
        // What reads in place is the processor, whatever the medium reaches.
        var plan = _agent.Core.TryBegin(
            direction, descriptors, SegmentBytes, inPlace is null && (_memory?.ReachesAccelerators ?? false), out var refusal, inPlace);
        if (plan is null)
        {
            return refusal;
        }
        try
        {
            var transfer = new PostedTransfer(plan);
            if (!_queue.TryAdd(transfer))
            {
                return Reason ?? Unreachable();
            }
            Offer(transfer);
            await using var cancelling = cancellationToken.Register(() => transfer.Fail(TransferOutcome.Failed(
                plan.Phase, TransferSide.Local, TransferError.Cancelled, $"A {direction} of {plan.Bytes} bytes was cancelled.")));
            await transfer.Done;
            // A stream that broke tells what it saw; what the peer as a whole knows (silence, disposal) says more.
            return transfer.Outcome is { Error: TransferError.ConnectionLost or TransferError.Closed } lost && Reason is { } reason
                ? reason with { Phase = lost.Phase }
                : transfer.Outcome;
        }
        finally
        {
            _agent.Core.End(plan);
        }
    }

    // Where no byte travels in the stream a segment's cost is its question: a few large ones, but work for every stream. Where they do, one connection
    // carries what one thread copies: a transfer that several idle ones can share is cut into as many segments. Busy ones have enough in flight.
    private int SegmentBytes(long bytes)
    {
        const int InPlaceBytesMin = 1 << 20;
        const int WireBytesMin = 256 << 10; // copied in about the time that waking two more threads takes
        var limits = _agent.Options.Transfers;
        if (_memory is null)
        {
            var sharers = Math.Min(_streams.Count(stream => stream.SegmentsTaken == 0), bytes / WireBytesMin);
            return sharers < 2 ? limits.SegmentBytes : Share(sharers, WireBytesMin, limits.SegmentBytes);
        }
        return _memory.CopiesInParallel ? Share(_streams.Length, InPlaceBytesMin, limits.InPlaceSegmentBytes) : limits.InPlaceSegmentBytes;

        // In whole pages, so that no segment begins off one that the first does not.
        int Share(long sharers, int bytesMin, int bytesMax) =>
            (int)Math.Clamp((((bytes + sharers - 1) / sharers) + 4095) / 4096 * 4096, Math.Min(bytesMin, bytesMax), bytesMax);
    }

    // The least busy stream first, so that small transfers spread.
    private void Offer(PostedTransfer transfer)
    {
        bool hasTaken;
        do
        {
            var idlest = _streams[0];
            foreach (var stream in _streams)
            {
                idlest = stream.SegmentsTaken < idlest.SegmentsTaken ? stream : idlest;
            }
            hasTaken = idlest.TryTake(transfer);
            for (var i = 0; i < _streams.Length && !hasTaken; i++)
            {
                hasTaken = _streams[i].TryTake(transfer);
            }
        }
        while (hasTaken);
    }

    private TransferOutcome? Reason => Volatile.Read(ref _reason)?.Value;

    private async Task RunAsync()
    {
        List<Task> loops = [GuardAsync(ReceiveRepliesAsync()), GuardAsync(BeatAsync())];
        foreach (var stream in _streams)
        {
            loops.Add(GuardAsync(RunStreamAsync(stream)));
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
        if (_memory is not null)
        {
            await _memory.DisposeAsync();
        }
        _closed.SetResult(reason);
    }

    private async Task GuardAsync(Task loop)
    {
        try
        {
            await loop;
        }
#pragma warning disable CA1031 // The edge of a loop: a defect in one must end the others too, or whoever waits for them waits for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.StreamFaulted(_agent.Options.Logger, _control.RemoteName, exception);
            Close(TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Local, TransferError.InternalError, exception.Message));
        }
    }

    private async Task RunStreamAsync(IDataStream stream) => Close(await stream.RunAsync(_closingToken));

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
                    case FrameType.LocateReply or FrameType.ExtendReply or FrameType.ReleaseReply or FrameType.PrepareReply or FrameType.NotifyReply or FrameType.RegionReply or FrameType.AskReply:
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
        _memory?.Abort();
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
