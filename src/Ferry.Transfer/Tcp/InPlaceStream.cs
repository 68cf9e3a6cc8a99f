using System.IO.Hashing;
using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>
/// A data connection beside which another medium moves the bytes: here the owner is asked to hold the memory, and told when it may let go; or asked
/// once, after a read that needs no hold.
/// </summary>
/// <remarks>
/// One segment at a time; the streams of a peer overlap each other's questions. Between segments nothing reads the connection: the control
/// connection notices a death.
/// </remarks>
internal sealed class InPlaceStream(
    FrameConnection connection, TransferQueue queue, RemoteMemory memory, PeerRegions regions, TransferAgentOptions options) : IDataStream
{
    private readonly Lock _gate = new(); // of the four below
    private TransferTicket _ticket;
    private ulong _lastCorrelation;
    private bool _isBusy; // with _ticket
    private bool _hasEnded;
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly List<TransferPiece> _pieces = [];
    private readonly XxHash3 _hash = new();
    private byte[] _request = new byte[1024];
    private bool _isGranted; // by the owner, for the segment under way

    public int SegmentsTaken => Volatile.Read(ref _isBusy) ? 1 : 0;

    public async Task<TransferOutcome> RunAsync(CancellationToken closing)
    {
        TransferOutcome failure;
        try
        {
            failure = await OwnThread.RunAsync("ferry-in-place", () => MoveAllAsync(closing));
        }
#pragma warning disable CA1031 // The edge of the loop: a defect must not leave a transfer waiting for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.StreamFaulted(options.Logger, connection.RemoteName, exception);
            failure = TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.InternalError, exception.Message);
        }
        connection.Abort(failure.Message);
        lock (_gate)
        {
            _hasEnded = true;
        }
        if (_isBusy)
        {
            _ticket.Transfer.Fail(failure with { Phase = _ticket.Transfer.Plan.Phase });
            _ticket.Transfer.EndSegment();
        }
        return failure;
    }

    public bool TryTake(PostedTransfer? own = null)
    {
        lock (_gate)
        {
            if (_hasEnded || _isBusy || !queue.TryTake(out var transfer, out var index))
            {
                return false;
            }
            if (transfer.HasFailed)
            {
                transfer.EndSegment();
                return true;
            }
            connection.StampReceived();
            _ticket = new TransferTicket(transfer, index, ++_lastCorrelation);
            Volatile.Write(ref _isBusy, true);
        }
        // Not under the gate: whoever this wakes often gets this thread's processor at once.
        _wanted.Release();
        return true;
    }

    public bool IsStalled() => Volatile.Read(ref _isBusy) && connection.Silence > options.DeadAfter;

    public TimeSpan Silence => connection.Silence;

    public void Abort(string reason) => connection.Abort(reason);

    public void Dispose()
    {
        connection.Dispose();
        // _wanted stays: who took a ticket just before the end may be about to release it, and it holds nothing of the system.
    }

    private async Task<TransferOutcome> MoveAllAsync(CancellationToken closing)
    {
        try
        {
            while (true)
            {
                await _wanted.WaitAsync(closing);
                if (await MoveAsync(_ticket, closing) is { } lost)
                {
                    return lost;
                }
                var transfer = _ticket.Transfer;
                Volatile.Write(ref _isBusy, false);
                transfer.EndSegment();
                while (TryTake())
                {
                    // One, or one that had failed.
                }
            }
        }
        catch (OperationCanceledException)
        {
            return TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.Closed, "The connection was closed.");
        }
    }

    // Null: the stream goes on, whatever became of this segment.
    private async Task<TransferOutcome?> MoveAsync(TransferTicket ticket, CancellationToken closing)
    {
        var plan = ticket.Transfer.Plan;
        try
        {
            FillPieces(plan, ticket.Segment);
            return plan.Direction == TransferDirection.Write && !memory.WritesDirectly
                ? await HaveFetchedAsync(ticket, closing)
                : await HoldAndMoveAsync(ticket, closing);
        }
        catch (OperationCanceledException)
        {
            return TransferOutcome.Failed(plan.Phase, TransferSide.Local, TransferError.Closed, "The connection was closed.");
        }
#pragma warning disable CA1031 // The edge of a loop: a reader that breaks must leave neither its transfer nor the owner waiting for ever.
        catch (Exception exception) when (plan.InPlace is not null)
        {
            return TransferOutcome.Failed(plan.Phase, TransferSide.Local, TransferError.MediumFailed, exception.Message);
        }
#pragma warning restore CA1031
    }

    private async Task<TransferOutcome?> HaveFetchedAsync(TransferTicket ticket, CancellationToken closing)
    {
        var writer = new WireWriter();
        writer.Bytes(WriteRequest(ticket, TransferFlags.Fetch).Span);
        if (!regions.TryDescribeLocal(_pieces, out var sources))
        {
            ticket.Transfer.Fail(TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, TransferError.RegionUnknown,
                $"A segment of a write takes its bytes from at most {RegionInfo.CountPerFrameMax} registered regions. Register one large arena instead."));
            return null;
        }
        TransferCodec.WriteSources(writer, ticket.Transfer.Plan, ticket.Segment, sources);
        return await AskAsync(ticket, writer.Written.ToArray(), closing);
    }

    private async Task<TransferOutcome?> HoldAndMoveAsync(TransferTicket ticket, CancellationToken closing)
    {
        var (transfer, phase) = (ticket.Transfer, ticket.Transfer.Plan.Phase);
        if (await regions.ReachAsync(_pieces, memory, CancellationToken.None) is { } unreachable)
        {
            transfer.Fail(unreachable with { Phase = phase });
            return null;
        }
        // What reads in place has its own idea of where bytes go: those of a plain copy are for plans without one.
        if (phase == TransferPhase.Read && transfer.Plan.InPlace is null && memory.ReadsUnheld && !options.Transfers.Checksum)
        {
            var isGood = false;
            try
            {
                if (await memory.ReadAsync(_pieces, closing) is null)
                {
                    var failure = await AskAsync(ticket, WriteRequest(ticket, TransferFlags.Taken), closing);
                    isGood = failure is null && _isGranted;
                    return failure;
                }
            }
            finally
            {
                if (!isGood)
                {
                    Wipe(); // what came may be another's by now
                }
            }
        }
        // Held while it moves; or it could not be read just now, and the owner may say why.
        if (await AskAsync(ticket, WriteRequest(ticket, TransferFlags.InPlace), closing) is { } lost)
        {
            return lost;
        }
        if (!_isGranted)
        {
            return null;
        }
        var error = transfer.HasFailed ? null
            : transfer.Plan.InPlace is { } reading ? await (reading.Copied is { } copy ? copy(memory, closing) : memory.ReadInPlaceAsync(reading).AsTask())
            : phase == TransferPhase.Read ? await memory.ReadAsync(_pieces, closing)
            : await memory.WriteAsync(_pieces, closing);
        if (error is not null)
        {
            transfer.Fail(TransferOutcome.Failed(phase, TransferSide.Remote, TransferError.MediumFailed, error));
        }
        connection.StampReceived();
        if (await connection.WriteAsync(FrameType.Took, TransferError.None, ticket.Correlation, default, closing) is { } sendError)
        {
            return Lost(phase, TransferError.ConnectionLost, sendError);
        }
        return await EndAsync(ticket, closing);
    }

    // Sends the question and takes the owner's answer; a refusal fails the transfer and leaves the stream alone.
    private async Task<TransferOutcome?> AskAsync(TransferTicket ticket, ReadOnlyMemory<byte> request, CancellationToken closing)
    {
        _isGranted = false;
        var (transfer, phase) = (ticket.Transfer, ticket.Transfer.Plan.Phase);
        var type = phase == TransferPhase.Read ? FrameType.Read : FrameType.Write;
        if (await connection.WriteAsync(type, TransferError.None, ticket.Correlation, request, closing) is { } error)
        {
            return Lost(phase, TransferError.ConnectionLost, error);
        }
        var frame = await connection.ReadAsync(TransferCodec.ReplyPayloadBytesMax, closing);
        if (!frame.IsSuccess)
        {
            return Lost(phase, frame.Error, frame.Message);
        }
        if (frame.Header.Type != type + 1 || frame.Header.Correlation != ticket.Correlation)
        {
            return Lost(phase, TransferError.ProtocolViolation, $"{frame.Header.Type} {frame.Header.Correlation} came for {type} {ticket.Correlation}.");
        }
        if (frame.Header.Status != TransferError.None)
        {
            transfer.Fail(Nack.ToOutcome(frame.Header.Status, ticket.Segment, phase, "to"));
            return null;
        }
        _isGranted = true;
        return TransferCodec.IsReplyTo(connection.Payload.Span, ticket.Segment)
            ? null
            : Lost(phase, TransferError.ProtocolViolation, "A reply is about another segment than was asked for.");
    }

    private async Task<TransferOutcome?> EndAsync(TransferTicket ticket, CancellationToken closing)
    {
        var (transfer, phase) = (ticket.Transfer, ticket.Transfer.Plan.Phase);
        var frame = await connection.ReadAsync(TransferCodec.ReplyPayloadBytesMax, closing);
        if (!frame.IsSuccess)
        {
            return Lost(phase, frame.Error, frame.Message);
        }
        if (frame.Header.Type != FrameType.TookReply || frame.Header.Correlation != ticket.Correlation)
        {
            return Lost(phase, TransferError.ProtocolViolation, $"{frame.Header.Type} {frame.Header.Correlation} came for Took {ticket.Correlation}.");
        }
        if (frame.Header.Status != TransferError.None)
        {
            transfer.Fail(Nack.ToOutcome(frame.Header.Status, ticket.Segment, phase, "while"));
            return null;
        }
        if (options.Transfers.Checksum && !transfer.HasFailed && !IsWhole(connection.Payload.Span))
        {
            transfer.Fail(TransferOutcome.Failed(TransferPhase.Verify, TransferSide.Remote, TransferError.ChecksumMismatch,
                $"Segment {ticket.SegmentIndex} of {ticket.Segment.Bytes} bytes was damaged on the way."));
        }
        return null;
    }

    private void Wipe()
    {
        foreach (var piece in _pieces)
        {
            piece.Local.Span(piece.LocalOffset, piece.Bytes).Clear();
        }
    }

    private bool IsWhole(ReadOnlySpan<byte> reply)
    {
        _hash.Reset();
        foreach (var piece in _pieces)
        {
            _hash.Append(piece.Local.Span(piece.LocalOffset, piece.Bytes));
        }
        var reader = new WireReader(reply);
        return reader.UInt64() == _hash.GetCurrentHashAsUInt64() && reader.IsComplete;
    }

    // Good until the next.
    private ReadOnlyMemory<byte> WriteRequest(in TransferTicket ticket, TransferFlags how)
    {
        var segment = ticket.Segment;
        var bytes = TransferCodec.RequestBytes(segment);
        if (_request.Length < bytes)
        {
            _request = new byte[bytes];
        }
        TransferCodec.WriteRequest(_request, ticket.Transfer.Plan, segment, how | (options.Transfers.Checksum ? TransferFlags.Checksum : TransferFlags.None));
        return _request.AsMemory(0, bytes);
    }

    private void FillPieces(TransferPlan plan, in TransferSegment segment)
    {
        _pieces.Clear();
        for (var pieces = plan.PiecesOf(segment); pieces.MoveNext();)
        {
            _pieces.Add(pieces.Current);
        }
    }

    private static TransferOutcome Lost(TransferPhase phase, TransferError error, string message) =>
        TransferOutcome.Failed(phase, TransferSide.Remote, error, message);
}
