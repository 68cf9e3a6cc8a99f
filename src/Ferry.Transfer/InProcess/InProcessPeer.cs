using System.Runtime.CompilerServices;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.InProcess;

/// <summary>A peer of an in-process agent.</summary>
internal sealed class InProcessPeer : IInPlacePeer
{
    private readonly InProcessNetwork _network;
    private readonly InProcessTransferAgent _local;
    private readonly InProcessTransferAgent _remote;
    private readonly SideChannelClient _client;
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<TransferOutcome> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly UseGate _uses = new();
    private readonly CancellationToken _closingToken;
    private StrongBox<TransferOutcome>? _reason; // why the peer closed, once it has
    private CancellationTokenRegistration _remoteStops;
    private Task _beating = Task.CompletedTask;
    private ulong _lastCorrelation;
    private int _disposed;

    public InProcessPeer(InProcessNetwork network, InProcessTransferAgent local, InProcessTransferAgent remote)
    {
        _network = network;
        _local = local;
        _remote = remote;
        _client = new SideChannelClient(CallAsync);
        _closingToken = _closing.Token;
    }

    public PeerMetadata Remote => _remote.Metadata;

    public MediumChoice Medium { get; } = new("self", "one process");

    public Task<TransferOutcome> Closed => _closed.Task;

    internal InProcessNetwork Network => _network;

    internal InProcessTransferAgent Local => _local;

    internal InProcessTransferAgent Server => _remote;

    private TransferAgentOptions Options => _local.Core.Options;

    /// <summary>Starts the heartbeat. Called once, after the agent has listed the peer.</summary>
    public void Begin()
    {
        _remote.CountAccepted(1);
        _remote.Core.CountSessionOpened(_local.Identity);
        _remoteStops = _remote.Stopping.Register(() => Close(Gone()));
        _beating = BeatAsync();
    }

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
    public Task<(InPlaceReach Reach, TransferOutcome? Failure)> ReachAsync(uint regionId, long offset, long bytes, CancellationToken cancellationToken) =>
        Task.FromResult<(InPlaceReach Reach, TransferOutcome? Failure)>(
            Volatile.Read(ref _reason) is not null ? (InPlaceReach.None, Reason())
            : !Options.Transfers.Checksum && _remote.Core.Regions.TryFind(regionId, out var region) && region.Contains(offset, bytes) ? (InPlaceReach.Mapped, null)
            : (InPlaceReach.None, null));

    public Task<TransferOutcome> ReadInPlaceAsync(ReadOnlyMemory<TransferDescriptor> held, InPlaceRead reading, CancellationToken cancellationToken) =>
        TransferAsync(TransferDirection.Read, held, cancellationToken, reading);

    public async ValueTask DisposeAsync()
    {
        Close(TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Closed, "The peer object was disposed."));
        await _uses.CloseAsync();
        await _beating;
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _remoteStops.DisposeAsync();
            _closing.Dispose();
        }
    }

    /// <summary>What to say about a wait that ended without an answer.</summary>
    internal TransferOutcome Interrupted(TransferPhase phase, string what, CancellationToken callers)
    {
        if (callers.IsCancellationRequested)
        {
            return TransferOutcome.Failed(phase, TransferSide.Local, TransferError.Cancelled, $"{what} was cancelled.");
        }
        if (Volatile.Read(ref _reason) is not null)
        {
            return Reason() with { Phase = phase };
        }
        return TransferOutcome.Failed(phase, TransferSide.Remote, TransferError.TimedOut, $"{what}: no answer from {_remote.Identity} in time.");
    }

    private async Task<TransferOutcome> TransferAsync(
        TransferDirection direction, ReadOnlyMemory<TransferDescriptor> descriptors, CancellationToken cancellationToken, InPlaceRead? inPlace = null)
    {
        if (Volatile.Read(ref _reason) is not null || !_uses.TryEnter())
        {
            return Reason();
        }
        try
        {
            var plan = _local.Core.TryBegin(direction, descriptors, _ => Options.Transfers.SegmentBytes, reachesAccelerators: false, out var refusal, inPlace);
            if (plan is null)
            {
                return refusal;
            }
            try
            {
                return await new InProcessTransfer(this, plan, cancellationToken, _closingToken).RunAsync();
            }
            finally
            {
                _local.Core.End(plan);
            }
        }
        finally
        {
            _uses.Leave();
        }
    }

    private async Task<CallReply> CallAsync(FrameType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _reason) is not null || !_uses.TryEnter())
        {
            return new CallReply(Reason(), []);
        }
        try
        {
            using var timeout = new CancellationTokenSource(Options.CallDeadline, Options.Clock);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closingToken, timeout.Token);
            return await ExchangeAsync(type, payload, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            return new CallReply(Interrupted(TransferPhase.SideChannel, type.ToString(), cancellationToken), []);
        }
        finally
        {
            _uses.Leave();
        }
    }

    // Real frames travel, so that corruption meets the real checks.
    private async Task<CallReply> ExchangeAsync(FrameType type, ReadOnlyMemory<byte> payload, CancellationToken deadline)
    {
        var request = FrameHeader.Encode(type, TransferError.None, Interlocked.Increment(ref _lastCorrelation), payload.Span);
        var fate = await _network.CarryAsync(_local.Endpoint, _remote.Endpoint, deadline);
        InProcessNetwork.Corrupt(fate, request);
        if (Damage(request) is { } damagedRequest)
        {
            return new CallReply(damagedRequest, []);
        }
        if (await TryAnswerAsync(type, request, deadline) is not { } reply)
        {
            return new CallReply(Gone(), []);
        }
        if (fate.IsDuplicated)
        {
            await TryAnswerAsync(type, request, deadline); // its answer is one that nobody waits for
        }
        fate = await _network.CarryAsync(_remote.Endpoint, _local.Endpoint, deadline);
        InProcessNetwork.Corrupt(fate, reply);
        if (Damage(reply) is { } damagedReply)
        {
            return new CallReply(damagedReply, []);
        }
        _ = FrameHeader.TryRead(reply, FrameHeader.PayloadBytesMax, out var header);
        var body = reply.AsSpan(FrameHeader.HeaderBytes);
        return header.Status == TransferError.None
            ? new CallReply(TransferOutcome.Success(TransferPhase.SideChannel), body.ToArray())
            : new CallReply(SideChannelClient.Refusal(TransferPhase.SideChannel, header.Status, body), []);
    }

    private async Task<byte[]?> TryAnswerAsync(FrameType type, byte[] request, CancellationToken deadline) =>
        await _remote.TryAnswerAsync(_local.Metadata, type, request.AsMemory(FrameHeader.HeaderBytes), deadline) is var (replyType, status, payload)
            ? FrameHeader.Encode(replyType, status, 0, payload.Span)
            : null;

    private static TransferOutcome? Damage(byte[] frame) =>
        FrameHeader.TryRead(frame, FrameHeader.PayloadBytesMax, out var header) is { } error
            ? Violation(error)
            : header.PayloadBytes != frame.Length - FrameHeader.HeaderBytes || !FrameHeader.IsIntact(frame, frame.AsSpan(FrameHeader.HeaderBytes))
                ? Violation("A frame's checksum is wrong.")
                : null;

    private static TransferOutcome Violation(string message) =>
        TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.ProtocolViolation, message);

    private async Task BeatAsync()
    {
        var clock = Options.Clock;
        var lastAlive = clock.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(Options.HeartbeatInterval, clock, _closingToken);
                using var timeout = new CancellationTokenSource(Options.HeartbeatInterval, clock);
                using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_closingToken, timeout.Token);
                try
                {
                    if ((await ExchangeAsync(FrameType.Ping, default, deadline.Token)).Outcome.IsSuccess)
                    {
                        lastAlive = clock.GetTimestamp();
                    }
                }
                catch (OperationCanceledException) when (!_closingToken.IsCancellationRequested)
                {
                    // This one was lost; the next may come back.
                }
                if (clock.GetElapsedTime(lastAlive) >= Options.DeadAfter)
                {
                    Close(TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.TimedOut,
                        $"{_remote.Identity} has shown no sign of life for {Options.DeadAfter}."));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The peer closes.
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
            Log.PeerLost(Options.Logger, _remote.Identity, reason);
        }
        _closing.Cancel();
        _closed.SetResult(reason);
        _local.Forget(this);
        _remote.CountAccepted(-1);
        _remote.Core.CountSessionClosed(_local.Identity);
    }

    private TransferOutcome Gone() =>
        TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.ConnectionLost, $"{_remote.Identity} has gone.");

    private TransferOutcome Reason() => Volatile.Read(ref _reason)!.Value;
}
