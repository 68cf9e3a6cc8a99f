using System.IO.Hashing;
using System.Threading.Channels;
using Ferry.Transfer.Reads;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The reader's end of one data connection: asks for segments ahead, and receives them in order into registered memory.</summary>
/// <remarks>
/// Two loops, because one that asks before it receives can wait for an owner that waits for it. The reads it works on hold their target
/// regions until their last segment is ended here; that keeps the pointers alive.
/// </remarks>
internal sealed class TcpReadStream : IDisposable
{
    private readonly FrameConnection _connection;
    private readonly ReadQueue _queue;
    private readonly TransferAgentOptions _options;
    private readonly Channel<ReadTicket> _asked = Channel.CreateUnbounded<ReadTicket>(new() { SingleReader = true, SingleWriter = true });
    private readonly SemaphoreSlim _room;
    private readonly NativeWindow _window = new();
    private readonly XxHash3 _hash = new();
    private readonly byte[] _trailer = new byte[ReadCodec.TrailerBytes];
    private byte[] _request = new byte[1024];
    private ulong _lastCorrelation;
    private int _segmentsAsked;

    public TcpReadStream(FrameConnection connection, ReadQueue queue, TransferAgentOptions options)
    {
        _connection = connection;
        _queue = queue;
        _options = options;
        _room = new SemaphoreSlim(options.Reads.SegmentsInFlight);
    }

    /// <summary>Runs until <paramref name="closing"/> or a failure, which it returns. Every segment it took is ended by then.</summary>
    public async Task<TransferOutcome> RunAsync(CancellationToken closing)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(closing);
        var asking = AskAsync(stopping.Token);
        var failure = await ReceiveAllAsync(stopping.Token);
        _connection.Abort(failure.Message);
        await stopping.CancelAsync();
        await asking;
        while (_asked.Reader.TryRead(out var ticket))
        {
            ticket.Read.Fail(failure);
            ticket.Read.EndSegment();
        }
        return failure;
    }

    /// <summary>Says that the owner is dead if segments are out and nothing has come for too long. Called at every sweep.</summary>
    public bool IsStalled() => Volatile.Read(ref _segmentsAsked) > 0 && _connection.Silence > _options.DeadAfter;

    public void Abort(string reason) => _connection.Abort(reason);

    public void Dispose()
    {
        _connection.Dispose();
        _room.Dispose();
    }

    private async Task AskAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await _room.WaitAsync(stopping);
                var (read, index) = await _queue.TakeAsync(stopping);
                if (read.HasFailed)
                {
                    read.EndSegment();
                    _room.Release();
                    continue;
                }
                var ticket = new ReadTicket(read, index, ++_lastCorrelation);
                // The silence that counts begins now, and the ticket is known to the receiving loop before the owner can answer.
                if (Interlocked.Increment(ref _segmentsAsked) == 1)
                {
                    _connection.StampReceived();
                }
                _asked.Writer.TryWrite(ticket);
                if (await SendRequestAsync(ticket, stopping) is { } error)
                {
                    _connection.Abort(error);
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The stream stops; the receiving loop says why.
        }
    }

    private ValueTask<string?> SendRequestAsync(in ReadTicket ticket, CancellationToken stopping)
    {
        var segment = ticket.Read.Plan.Segments[ticket.SegmentIndex];
        var bytes = ReadCodec.RequestBytes(segment);
        if (_request.Length < bytes)
        {
            _request = new byte[bytes];
        }
        ReadCodec.WriteRequest(_request, ticket.Read.Plan, segment, _options.Reads.Checksum);
        return _connection.WriteAsync(FrameType.Read, TransferError.None, ticket.Correlation, _request.AsMemory(0, bytes), stopping);
    }

    private async Task<TransferOutcome> ReceiveAllAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                // With nothing asked for this waits for the next question; the peer's control connection notices a death meanwhile.
                var ticket = await _asked.Reader.ReadAsync(stopping);
                var failure = await ReceiveAsync(ticket, stopping);
                if (failure is { } lost)
                {
                    ticket.Read.Fail(lost);
                }
                Interlocked.Decrement(ref _segmentsAsked);
                ticket.Read.EndSegment();
                if (failure is not null)
                {
                    return failure.Value;
                }
                _room.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.Closed, "The connection was closed.");
        }
    }

    // Null: the stream goes on, whatever became of this segment.
    private async Task<TransferOutcome?> ReceiveAsync(ReadTicket ticket, CancellationToken stopping)
    {
        var read = ticket.Read;
        var segment = read.Plan.Segments[ticket.SegmentIndex];
        FrameResult frame;
        try
        {
            frame = await _connection.ReadAsync(ReadCodec.ReplyPayloadBytesMax, stopping);
        }
        catch (OperationCanceledException)
        {
            return TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.Closed, "The connection was closed.");
        }
        if (!frame.IsSuccess)
        {
            return Lost(frame.Error, frame.Message);
        }
        if (frame.Header.Type != FrameType.ReadReply || frame.Header.Correlation != ticket.Correlation)
        {
            return Lost(TransferError.ProtocolViolation, $"{frame.Header.Type} {frame.Header.Correlation} came for read {ticket.Correlation}.");
        }
        if (frame.Header.Status != TransferError.None)
        {
            read.Fail(Nack.ToOutcome(frame.Header.Status, segment, "to"));
            return null;
        }
        if (!ReadCodec.IsReplyTo(_connection.Payload.Span, segment))
        {
            return Lost(TransferError.ProtocolViolation, "A reply is about another segment than was asked for.");
        }
        return await ReceiveBytesAsync(read, segment, stopping) ?? await ReceiveTrailerAsync(ticket, segment, stopping);
    }

    private async ValueTask<TransferOutcome?> ReceiveBytesAsync(TcpRead read, ReadSegment segment, CancellationToken stopping)
    {
        _hash.Reset();
        var pieces = read.Plan.PiecesOf(segment);
        while (pieces.MoveNext())
        {
            var memory = _window.Of(pieces.Current.Target, pieces.Current.TargetOffset, pieces.Current.Bytes);
            if (await ReceivePartAsync(memory, stopping) is { } lost)
            {
                return lost;
            }
            if (_options.Reads.Checksum)
            {
                _hash.Append(memory.Span);
            }
        }
        return null;
    }

    private async ValueTask<TransferOutcome?> ReceiveTrailerAsync(ReadTicket ticket, ReadSegment segment, CancellationToken stopping)
    {
        if (await ReceivePartAsync(_trailer, stopping) is { } lost)
        {
            return lost;
        }
        if (!ReadCodec.TryReadTrailer(_trailer, ticket.Correlation, segment.Bytes, out var status, out var checksum))
        {
            return Lost(TransferError.ProtocolViolation, "The bytes of a segment are not followed by its trailer.");
        }
        if (status != TransferError.None)
        {
            ticket.Read.Fail(Nack.ToOutcome(status, segment, "while"));
        }
        else if (_options.Reads.Checksum && _hash.GetCurrentHashAsUInt64() != checksum)
        {
            ticket.Read.Fail(TransferOutcome.Failed(TransferPhase.Verify, TransferSide.Remote, TransferError.ChecksumMismatch,
                $"Segment {ticket.SegmentIndex} of {segment.Bytes} bytes was damaged on the way."));
        }
        return null;
    }

    private async ValueTask<TransferOutcome?> ReceivePartAsync(Memory<byte> target, CancellationToken stopping)
    {
        try
        {
            return await _connection.ReceiveAsync(target, stopping) is { } error ? Lost(TransferError.ConnectionLost, error) : null;
        }
        catch (OperationCanceledException)
        {
            return TransferOutcome.Failed(TransferPhase.Read, TransferSide.Local, TransferError.Closed, "The connection was closed.");
        }
    }

    private static TransferOutcome Lost(TransferError error, string message) =>
        TransferOutcome.Failed(TransferPhase.Read, TransferSide.Remote, error, message);
}
