using System.IO.Hashing;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>A data connection on which the bytes travel too: asks for segments ahead, receives those of reads in order into registered memory, and sends those of writes from it.</summary>
/// <remarks>
/// A question goes out on the thread that has it, if the socket takes it at once, and so does the last segment of a write. What must be waited for is sent by
/// one loop and received by another, because one that asks before it receives can wait for an owner that waits for it. The transfers it works on hold
/// their local regions until their last segment is ended here; that keeps the pointers alive.
/// </remarks>
internal sealed class WireStream : IDataStream
{
    // What a poster's thread copies to the kernel itself rather than wake another for it: a wake-up costs some 50 µs on a virtual machine, this much 100 to 300.
    private const int OwnBytesMax = 1 << 20;

    private readonly FrameConnection _connection;
    private readonly TransferQueue _queue;
    private readonly TransferAgentOptions _options;
    private readonly Lock _gate = new(); // of all down to _isSending; never held over a wait
    private readonly Queue<TransferTicket> _asked = new(); // oldest first; a ticket leaves when its segment is ended
    private ulong _lastCorrelation;
    private bool _hasEnded;
    private bool _isSending; // somebody sends the last ticket: what is outgoing is that thread's
    private readonly OutgoingSegment _outgoing;
    private readonly SemaphoreSlim _sendingWanted = new(0);
    private readonly SemaphoreSlim _takerSends = new(1, 1); // taken while the thread that took a ticket sends
    private readonly SemaphoreSlim _sent = new(0); // one for each write whose bytes have left, or will not: then
    private volatile bool _hasSendingFailed;
    private readonly CancellationTokenSource _stopping = new();
    private Task<bool>? _sendingLoop; // from the first ticket on that it is wanted for
    private readonly MemoryVector _incoming = new(); // the receiving loop's
    private readonly XxHash3 _incomingHash = new();
    private readonly byte[] _incomingTrailer = new byte[TransferCodec.TrailerBytes];

    public WireStream(FrameConnection connection, TransferQueue queue, TransferAgentOptions options)
    {
        _connection = connection;
        _queue = queue;
        _options = options;
        _outgoing = new OutgoingSegment(connection, options.Transfers.Checksum);
    }

    public int SegmentsTaken
    {
        get
        {
            lock (_gate)
            {
                return _asked.Count;
            }
        }
    }

    public async Task<TransferOutcome> RunAsync(CancellationToken closing)
    {
        await using var stopping = closing.UnsafeRegister(static stream => ((WireStream)stream!)._stopping.Cancel(), this);
        TransferOutcome failure;
        try
        {
            failure = await OwnThread.RunAsync("ferry-receive", ReceiveAllAsync);
        }
#pragma warning disable CA1031 // The edge of the loop: a defect must not leave transfers waiting for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.StreamFaulted(_options.Logger, _connection.RemoteName, exception);
            failure = TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.InternalError, exception.Message);
        }
        lock (_gate)
        {
            _hasEnded = true;
        }
        // A write's bytes may still be leaving: the other loop must have let go of them before the transfer ends.
        _connection.Abort(failure.Message);
        await _takerSends.WaitAsync(CancellationToken.None);
        await _stopping.CancelAsync();
        if (_sendingLoop is not null)
        {
            await _sendingLoop;
        }
        while (_asked.TryDequeue(out var ticket)) // nobody else is left
        {
            ticket.Transfer.Fail(failure with { Phase = ticket.Transfer.Plan.Phase });
            ticket.Transfer.EndSegment();
        }
        return failure;
    }

    public bool TryTake(PostedTransfer? own = null)
    {
        lock (_gate)
        {
            if (_hasEnded || _isSending || _asked.Count >= _options.Transfers.SegmentsInFlight || !_queue.TryTake(out var transfer, out var index))
            {
                return false;
            }
            if (transfer.HasFailed)
            {
                transfer.EndSegment();
                return true;
            }
            var ticket = new TransferTicket(transfer, index, ++_lastCorrelation);
            // The silence that counts begins now, and the ticket is known to the receiving loop before the owner can answer.
            if (_asked.Count == 0)
            {
                _connection.StampReceived();
            }
            _asked.Enqueue(ticket);
            _isSending = true;
            _outgoing.Write(ticket);
            var isShort = !_outgoing.IsWrite || (transfer == own && ticket.Segment.Bytes <= OwnBytesMax && _queue.IsEmpty);
            if (!isShort || !_takerSends.Wait(0))
            {
                WakeSendingLoop();
                return true;
            }
        }
        // Not under the gate: whoever this wakes often gets this thread's processor at once, and the answer must not wait for it to come back.
        SendHere();
        return true;
    }

    public bool IsStalled() => SegmentsTaken > 0 && _connection.Silence > _options.DeadAfter;

    public TimeSpan Silence => _connection.Silence;

    public void Abort(string reason) => _connection.Abort(reason);

    public void Dispose()
    {
        _connection.Dispose();
        _sendingWanted.Dispose();
        _takerSends.Dispose();
        _sent.Dispose();
        _stopping.Dispose();
        _incoming.Dispose();
        _outgoing.Dispose();
    }

    // Under the gate.
    private void WakeSendingLoop()
    {
        _sendingLoop ??= OwnThread.RunAsync("ferry-send", SendAllAsync);
        _sendingWanted.Release();
    }

    // On the thread that has taken the ticket: as much as the socket takes, and the loop sends the rest.
    private void SendHere()
    {
        var isWhole = false;
        try
        {
            isWhole = _outgoing.TrySend();
        }
        finally
        {
            lock (_gate)
            {
                if (!isWhole)
                {
                    WakeSendingLoop();
                }
                else
                {
                    _isSending = false;
                    if (_outgoing.IsWrite)
                    {
                        _sent.Release();
                    }
                }
            }
            _takerSends.Release();
        }
    }

    // Always true: it ends when the stream does.
    private async Task<bool> SendAllAsync()
    {
        try
        {
            while (true)
            {
                await _sendingWanted.WaitAsync(_stopping.Token);
                var error = await SendAsync();
                if (error is not null)
                {
                    _connection.Abort(error); // the receiving loop says why
                    return true;
                }
                lock (_gate)
                {
                    _isSending = false;
                }
                while (TryTake())
                {
                    // as much as there is room for
                }
            }
        }
        catch (OperationCanceledException)
        {
            return true;
        }
#pragma warning disable CA1031 // The edge of the loop: the receiving loop ends what is under way.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.StreamFaulted(_options.Logger, _connection.RemoteName, exception);
            _connection.Abort(exception.Message);
            return true;
        }
    }

    private async Task<string?> SendAsync()
    {
        var isWrite = _outgoing.IsWrite;
        string? error = string.Empty;
        try
        {
            return error = await _outgoing.SendRestAsync();
        }
        finally
        {
            if (isWrite)
            {
                _hasSendingFailed |= error is not null;
                _sent.Release();
            }
        }
    }

    private async Task<TransferOutcome> ReceiveAllAsync()
    {
        while (true)
        {
            // No token: who closes the stream aborts the connection.
            var frame = await _connection.ReadAsync(TransferCodec.ReplyPayloadBytesMax, CancellationToken.None);
            if (!TryPeek(out var ticket))
            {
                return frame.IsSuccess
                    ? Lost(TransferPhase.Read, TransferError.ProtocolViolation, $"{frame.Header.Type} came unasked.")
                    : Lost(TransferPhase.Read, frame.Error, frame.Message);
            }
            var failure = frame.IsSuccess ? await ReceiveAsync(ticket, frame.Header) : Lost(ticket.Transfer.Plan.Phase, frame.Error, frame.Message);
            if (failure is { } lost)
            {
                return lost;
            }
            lock (_gate)
            {
                _asked.Dequeue();
            }
            ticket.Transfer.EndSegment();
            while (TryTake())
            {
                // as much as there is room for
            }
        }
    }

    private bool TryPeek(out TransferTicket ticket)
    {
        lock (_gate)
        {
            return _asked.TryPeek(out ticket);
        }
    }

    // Null: the stream goes on, whatever became of this segment.
    private async ValueTask<TransferOutcome?> ReceiveAsync(TransferTicket ticket, FrameHeader header)
    {
        var (transfer, phase) = (ticket.Transfer, ticket.Transfer.Plan.Phase);
        var segment = ticket.Segment;
        var due = transfer.Plan.Direction == TransferDirection.Read ? FrameType.ReadReply : FrameType.WriteReply;
        if (header.Type == FrameType.WriteReply && due == FrameType.WriteReply && !await HasSentAsync())
        {
            return Lost(phase, TransferError.ConnectionLost, "The connection was closed.");
        }
        if (header.Type != due || header.Correlation != ticket.Correlation)
        {
            return Lost(phase, TransferError.ProtocolViolation, $"{header.Type} {header.Correlation} came for {due} {ticket.Correlation}.");
        }
        if (header.Status != TransferError.None)
        {
            transfer.Fail(Nack.ToOutcome(header.Status, segment, phase, "to"));
            return null;
        }
        if (!TransferCodec.IsReplyTo(_connection.Payload.Span, segment))
        {
            return Lost(phase, TransferError.ProtocolViolation, "A reply is about another segment than was asked for.");
        }
        return due == FrameType.WriteReply ? null : await ReceiveBytesAsync(ticket, segment);
    }

    // An owner that answers before it has all bytes must not make this side let go of memory that is still being sent.
    private async ValueTask<bool> HasSentAsync()
    {
        // Nearly always the sender is a few instructions behind its last call, which the answer has overtaken.
        for (var spin = new SpinWait(); _sent.CurrentCount == 0 && !spin.NextSpinWillYield;)
        {
            spin.SpinOnce();
        }
        try
        {
            await _sent.WaitAsync(_stopping.Token);
            return !_hasSendingFailed;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async ValueTask<TransferOutcome?> ReceiveBytesAsync(TransferTicket ticket, TransferSegment segment)
    {
        Fill(_incoming, ticket.Transfer.Plan, segment);
        _incomingHash.Reset();
        var error = await _connection.ReceiveAsync(_incoming, segment.Bytes, _options.Transfers.Checksum ? _incomingHash : null, CancellationToken.None)
            ?? await _connection.ReceiveAsync(_incomingTrailer, CancellationToken.None);
        if (error is not null)
        {
            return Lost(TransferPhase.Read, TransferError.ConnectionLost, error);
        }
        if (!TransferCodec.TryReadTrailer(_incomingTrailer, ticket.Correlation, segment.Bytes, out var status, out var checksum))
        {
            return Lost(TransferPhase.Read, TransferError.ProtocolViolation, "The bytes of a segment are not followed by its trailer.");
        }
        if (status != TransferError.None)
        {
            ticket.Transfer.Fail(Nack.ToOutcome(status, segment, TransferPhase.Read, "while"));
        }
        else if (_options.Transfers.Checksum && _incomingHash.GetCurrentHashAsUInt64() != checksum)
        {
            ticket.Transfer.Fail(TransferOutcome.Failed(TransferPhase.Verify, TransferSide.Remote, TransferError.ChecksumMismatch,
                $"Segment {ticket.SegmentIndex} of {segment.Bytes} bytes was damaged on the way."));
        }
        return null;
    }

    private static void Fill(MemoryVector vector, TransferPlan plan, in TransferSegment segment)
    {
        vector.Clear();
        for (var pieces = plan.PiecesOf(segment); pieces.MoveNext();)
        {
            vector.Add(pieces.Current.Local, pieces.Current.LocalOffset, pieces.Current.Bytes);
        }
    }

    private static TransferOutcome Lost(TransferPhase phase, TransferError error, string message) =>
        TransferOutcome.Failed(phase, TransferSide.Remote, error, message);
}
