using System.Buffers.Binary;
using System.IO.Hashing;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The owner's end of one data connection: answers reads and writes, one after the other, straight from and into registered memory.</summary>
/// <remarks>A peer that does not take or send its bytes stops the loop, and with it the next question: that is the back-pressure.</remarks>
internal sealed class DataServer : IDisposable
{
    // What goes to or comes from the kernel in one call. The lease is checked between calls.
    private const int SliceBytes = 512 << 10;

    private static readonly byte[] Zeros = new byte[64 << 10];

    private readonly FrameConnection _connection;
    private readonly AgentCore _core;
    private readonly PeerMetadata _peer;
    private readonly FetchedWrites _fetched;
    private readonly ServedTransfer _served;
    private readonly MemoryVector _vector = new();
    private readonly bool _allowsBytes;
    private readonly XxHash3 _hash = new();
    private readonly byte[] _head = new byte[FrameHeader.HeaderBytes + TransferCodec.ReplyBytes];
    private readonly byte[] _trailer = new byte[TransferCodec.TrailerBytes];
    private byte[] _skipped = [];
    private long _busySinceTimestamp; // 0: not waiting for the peer
    private volatile bool _isInPlace;

    /// <param name="fetched">Reads writers' memory by other media.</param>
    /// <param name="allowsBytes">Whether bytes may travel in the connection.</param>
    public DataServer(FrameConnection connection, AgentCore core, PeerMetadata peer, FetchedWrites fetched, bool allowsBytes)
    {
        _allowsBytes = allowsBytes;
        _connection = connection;
        _core = core;
        _peer = peer;
        _fetched = fetched;
        _served = new ServedTransfer(core.Regions, core.Leases);
    }

    /// <summary>Serves until the connection ends; returns why. Nothing is held then.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var frame = await _connection.ReadAsync(FrameHeader.PayloadBytesMax, cancellationToken);
            if (!frame.IsSuccess)
            {
                return frame.Message;
            }
            if (frame.Header.Type is not (FrameType.Read or FrameType.Write) || frame.Header.Status != TransferError.None)
            {
                return $"{frame.Header.Type} came on a data connection.";
            }
            try
            {
                if (await ServeAsync(frame.Header, cancellationToken) is { } error)
                {
                    return error;
                }
            }
            finally
            {
                if (_isInPlace)
                {
                    await _fetched.CloseAsync();
                }
                _vector.Clear();
                _served.End();
            }
        }
    }

    /// <summary>Cuts off a peer that moves nothing, and a move in memory that its owner wants back. Called at every sweep.</summary>
    public void Sweep(TimeSpan stallTimeout)
    {
        var since = Volatile.Read(ref _busySinceTimestamp);
        if (since == 0)
        {
            return;
        }
        var waited = _core.Options.Clock.GetElapsedTime(since);
        if (waited > stallTimeout)
        {
            _connection.Abort($"The peer moved no byte for {stallTimeout}.");
        }
        else if (waited > _core.Options.DeadAfter && _served.HasLeaseEnded())
        {
            _connection.Abort("The lease has ended, and the peer moves nothing.");
        }
        // A peer that copies for itself is nearly done and must not be left copying from memory that has been given back.
        else if (_served.IsAnyRegionClosing() && (!_isInPlace || waited > _core.Options.DeadAfter))
        {
            _connection.Abort("The region is being deregistered.");
        }
    }

    public void Dispose() => _vector.Dispose();

    private async Task<string?> ServeAsync(FrameHeader request, CancellationToken cancellationToken)
    {
        var direction = request.Type == FrameType.Read ? TransferDirection.Read : TransferDirection.Write;
        var status = Take(direction);
        if (status == TransferError.ProtocolViolation)
        {
            await RefuseAsync(request, status, cancellationToken);
            return $"A {request.Type} frame is malformed.";
        }
        if (status == TransferError.None && !_allowsBytes && (_served.Flags & (TransferFlags.Fetch | TransferFlags.InPlace | TransferFlags.Taken)) == 0)
        {
            status = TransferError.Refused;
        }
        if ((_served.Flags & TransferFlags.Taken) != 0)
        {
            // All that is asked is what Begin has found: lease and ranges are good, now that the asker has the bytes.
            return status == TransferError.None ? await ReplyAsync(request, cancellationToken) : await RefuseAsync(request, status, cancellationToken);
        }
        if ((_served.Flags & TransferFlags.Fetch) != 0)
        {
            return await FetchAsync(request, status, cancellationToken);
        }
        if (status == TransferError.None)
        {
            foreach (var piece in _served.Pieces)
            {
                _vector.Add(piece.Region, piece.Offset, piece.Bytes);
            }
        }
        return (_served.Flags & TransferFlags.InPlace) != 0 ? await HoldAsync(request, status, cancellationToken)
            : direction == TransferDirection.Write ? await TakeAsync(request, status, cancellationToken)
            : status == TransferError.None ? await SendAsync(request, cancellationToken)
            : await RefuseAsync(request, status, cancellationToken);
    }

    private TransferError Take(TransferDirection direction)
    {
        var status = _served.Begin(direction, _connection.Payload.Span, out var sources);
        return status == TransferError.None && !sources.IsEmpty && !_fetched.TryTake(sources, _served.Pieces) ? TransferError.ProtocolViolation : status;
    }

    private async Task<string?> SendAsync(FrameHeader request, CancellationToken cancellationToken)
    {
        WriteReply(request);
        ReadOnlyMemory<byte> head = _head; // goes with the first bytes
        _hash.Reset();
        var bytes = _served.Bytes;
        var status = TransferError.None;
        while (_vector.BytesLeft > 0 && (status = _served.Check()) == TransferError.None)
        {
            Begin();
            var error = await _connection.SendAsync(head, _vector, SliceBytes, _served.WantsChecksum ? _hash : null, moreFollows: true, cancellationToken);
            End();
            if (error is not null)
            {
                return error;
            }
            head = default;
        }
        status = status == TransferError.None ? _served.Check() : status;
        var left = _vector.BytesLeft;
        if (status != TransferError.None)
        {
            // The lease ended while bytes were leaving. Its memory is let go at once: what was promised is filled with zeros, and the trailer
            // tells the reader to use none of it. So one ended lease does not cost the connection.
            _vector.Clear();
            _served.End();
            Log.TransferRefused(_core.Options.Logger, "read", _peer.Identity, _served.LeaseId, status);
            if (await SendPlainAsync(head, cancellationToken) is { } headError)
            {
                return headError;
            }
            for (; left > 0; left -= Math.Min(left, Zeros.Length))
            {
                if (await SendPlainAsync(Zeros.AsMemory(0, (int)Math.Min(left, Zeros.Length)), cancellationToken) is { } error)
                {
                    return error;
                }
            }
        }
        var checksum = status == TransferError.None && _served.WantsChecksum ? _hash.GetCurrentHashAsUInt64() : 0;
        TransferCodec.WriteTrailer(_trailer, status, request.Correlation, bytes, checksum);
        return await SendPlainAsync(_trailer, cancellationToken);
    }

    // A write over TCP: the bytes come unasked. If they may not be put where they belong they are read all the same, and forgotten.
    private async Task<string?> TakeAsync(FrameHeader request, TransferError status, CancellationToken cancellationToken)
    {
        _hash.Reset();
        var left = _served.Bytes;
        while (status == TransferError.None && left > 0 && (status = _served.Check()) == TransferError.None)
        {
            Begin();
            var error = await _connection.ReceiveAsync(_vector, SliceBytes, _served.WantsChecksum ? _hash : null, cancellationToken);
            End();
            if (error is not null)
            {
                return error;
            }
            left = _vector.BytesLeft;
        }
        if (left > 0)
        {
            _vector.Clear();
            _served.End();
            if (await SkipAsync(left, cancellationToken) is { } error)
            {
                return error;
            }
        }
        Begin();
        var trailerError = await _connection.ReceiveAsync(_trailer, cancellationToken);
        End();
        if (trailerError is not null)
        {
            return trailerError;
        }
        if (!TransferCodec.TryReadTrailer(_trailer, request.Correlation, _served.Bytes, out var writers, out var checksum))
        {
            return "The bytes of a write are not followed by its trailer.";
        }
        status = status == TransferError.None ? _served.Check() : status;
        status = status == TransferError.None ? writers : status;
        status = status == TransferError.None && _served.WantsChecksum && _hash.GetCurrentHashAsUInt64() != checksum ? TransferError.ChecksumMismatch : status;
        return status == TransferError.None ? await ReplyAsync(request, cancellationToken) : await RefuseAsync(request, status, cancellationToken);
    }

    // The peer moves the bytes itself and says when it has.
    private async Task<string?> HoldAsync(FrameHeader request, TransferError status, CancellationToken cancellationToken)
    {
        if (status != TransferError.None)
        {
            return await RefuseAsync(request, status, cancellationToken);
        }
        if (await ReplyAsync(request, cancellationToken) is { } error)
        {
            return error;
        }
        Begin();
        _isInPlace = true;
        var frame = await _connection.ReadAsync(TransferCodec.ReplyPayloadBytesMax, cancellationToken);
        End();
        if (!frame.IsSuccess)
        {
            return frame.Message; // still in place: the peer may be copying for all that is known here
        }
        _isInPlace = false;
        if (frame.Header.Type != FrameType.Took || frame.Header.Correlation != request.Correlation)
        {
            return $"{frame.Header.Type} came where Took was due.";
        }
        status = _served.Check();
        if (status != TransferError.None)
        {
            Log.TransferRefused(_core.Options.Logger, request.Type.ToString(), _peer.Identity, _served.LeaseId, status);
        }
        var payload = new byte[TransferCodec.TookReplyBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, status == TransferError.None && _served.WantsChecksum ? HashOfPieces() : 0);
        return await _connection.WriteAsync(FrameType.TookReply, status, request.Correlation,
            status == TransferError.None ? payload : SideChannelCodec.EncodeMessage(status.ToString()).Written.ToArray(), cancellationToken);
    }

    // A writer whose memory another medium reaches: its bytes are fetched, so that they can only be written while the lease is held here.
    private async Task<string?> FetchAsync(FrameHeader request, TransferError status, CancellationToken cancellationToken)
    {
        if (status == TransferError.None && await _fetched.FetchAsync(cancellationToken) is { } failure)
        {
            Log.FetchFailed(_core.Options.Logger, _peer.Identity, failure);
            status = TransferError.MediumFailed;
        }
        status = status == TransferError.None ? _served.Check() : status;
        return status == TransferError.None ? await ReplyAsync(request, cancellationToken) : await RefuseAsync(request, status, cancellationToken);
    }

    private ulong HashOfPieces()
    {
        _hash.Reset();
        foreach (var piece in _served.Pieces)
        {
            _hash.Append(piece.Region.Span(piece.Offset, piece.Bytes));
        }
        return _hash.GetCurrentHashAsUInt64();
    }

    private async ValueTask<string?> SkipAsync(long bytes, CancellationToken cancellationToken)
    {
        _skipped = _skipped.Length == 0 ? new byte[Zeros.Length] : _skipped;
        for (; bytes > 0; bytes -= Math.Min(bytes, _skipped.Length))
        {
            Begin();
            var error = await _connection.ReceiveAsync(_skipped.AsMemory(0, (int)Math.Min(bytes, _skipped.Length)), cancellationToken);
            End();
            if (error is not null)
            {
                return error;
            }
        }
        return null;
    }

    private async ValueTask<string?> SendPlainAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Begin();
        var error = await _connection.SendAsync(bytes, cancellationToken);
        End();
        return error;
    }

    private ValueTask<string?> ReplyAsync(FrameHeader request, CancellationToken cancellationToken)
    {
        WriteReply(request);
        return SendPlainAsync(_head, cancellationToken);
    }

    private void WriteReply(FrameHeader request)
    {
        TransferCodec.WriteReply(_head.AsSpan(FrameHeader.HeaderBytes), _served.Generation, _served.LeaseId, _served.Bytes);
        FrameHeader.Write(_head, request.Type + 1, TransferError.None, request.Correlation, _head.AsSpan(FrameHeader.HeaderBytes));
    }

    private async Task<string?> RefuseAsync(FrameHeader request, TransferError status, CancellationToken cancellationToken)
    {
        Log.TransferRefused(_core.Options.Logger, request.Type.ToString(), _peer.Identity, _served.LeaseId, status);
        var message = SideChannelCodec.EncodeMessage(status.ToString()).Written.ToArray();
        return await _connection.WriteAsync(request.Type + 1, status, request.Correlation, message, cancellationToken);
    }

    private void Begin() => Volatile.Write(ref _busySinceTimestamp, _core.Options.Clock.GetTimestamp());

    private void End() => Volatile.Write(ref _busySinceTimestamp, 0);
}
