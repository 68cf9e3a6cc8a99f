using System.IO.Hashing;
using Ferry.Transfer.Reads;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>The owner's end of one data connection: answers reads, one after the other, straight from registered memory.</summary>
/// <remarks>A reader that does not take its bytes stops the loop, and with it the next question: that is the back-pressure.</remarks>
internal sealed class TcpReadServer(FrameConnection connection, AgentCore core, AgentIdentity reader) : IDisposable
{
    // What goes to the kernel in one call. The lease is checked between calls.
    private const int SliceBytes = 512 << 10;

    private static readonly byte[] Zeros = new byte[64 << 10];

    private readonly ServedRead _served = new(core.Regions, core.Leases);
    private readonly NativeWindow _window = new();
    private readonly XxHash3 _hash = new();
    private readonly byte[] _head = new byte[FrameHeader.HeaderBytes + ReadCodec.ReplyBytes];
    private readonly byte[] _trailer = new byte[ReadCodec.TrailerBytes];
    private long _sendingSinceTimestamp; // 0: not sending
    private MemoryRegion? _sendingFrom;

    /// <summary>Serves until the connection ends; returns why.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var frame = await connection.ReadAsync(FrameHeader.PayloadBytesMax, cancellationToken);
            if (!frame.IsSuccess)
            {
                return frame.Message;
            }
            if (frame.Header.Type != FrameType.Read)
            {
                return $"{frame.Header.Type} came on a data connection.";
            }
            var status = _served.Begin(connection.Payload.Span);
            string? error;
            try
            {
                error = status == TransferError.None
                    ? await SendAsync(frame.Header.Correlation, cancellationToken)
                    : await RefuseAsync(frame.Header.Correlation, status, cancellationToken);
            }
            finally
            {
                _served.End();
            }
            if (error is not null)
            {
                return error;
            }
        }
    }

    /// <summary>Cuts off a reader that takes nothing, and a send from memory that is being deregistered. Called at every sweep.</summary>
    public void Sweep(TimeSpan stallTimeout)
    {
        var since = Volatile.Read(ref _sendingSinceTimestamp);
        if (since != 0 && core.Options.Clock.GetElapsedTime(since) > stallTimeout)
        {
            connection.Abort($"The reader took no byte for {stallTimeout}.");
        }
        else if (since != 0 && Volatile.Read(ref _sendingFrom) is { IsClosing: true } region)
        {
            connection.Abort($"Region {region.Id} is being deregistered.");
        }
    }

    public void Dispose() => ((IDisposable)_window).Dispose();

    private async Task<string?> SendAsync(ulong correlation, CancellationToken cancellationToken)
    {
        ReadCodec.WriteReply(_head.AsSpan(FrameHeader.HeaderBytes), _served.Generation, _served.LeaseId, _served.Bytes);
        FrameHeader.Write(_head, FrameType.ReadReply, TransferError.None, correlation, _head.AsSpan(FrameHeader.HeaderBytes));
        if (await SendSliceAsync(_head, cancellationToken) is { } headError)
        {
            return headError;
        }
        _hash.Reset();
        var bytes = _served.Bytes;
        var sent = 0L;
        var status = TransferError.None;
        for (var i = 0; i < _served.Pieces.Count && status == TransferError.None; i++)
        {
            var piece = _served.Pieces[i];
            for (var skipped = 0; skipped < piece.Bytes && (status = _served.Check()) == TransferError.None;)
            {
                var sliceBytes = Math.Min(SliceBytes, piece.Bytes - skipped);
                if (await SendSliceAsync(piece, skipped, sliceBytes, cancellationToken) is { } error)
                {
                    return error;
                }
                skipped += sliceBytes;
                sent += sliceBytes;
            }
        }
        status = status == TransferError.None ? _served.Check() : status;
        return status == TransferError.None
            ? await SendTrailerAsync(correlation, bytes, cancellationToken)
            : await SendInvalidAsync(correlation, bytes, sent, status, cancellationToken);
    }

    private async ValueTask<string?> SendTrailerAsync(ulong correlation, long bytes, CancellationToken cancellationToken)
    {
        ReadCodec.WriteTrailer(_trailer, TransferError.None, correlation, bytes, _served.WantsChecksum ? _hash.GetCurrentHashAsUInt64() : 0);
        return await SendSliceAsync(_trailer, cancellationToken);
    }

    // The lease ended while bytes were leaving. Its memory is let go at once: what was promised is filled with zeros, and the trailer
    // tells the reader to use none of it. So one ended lease does not cost the connection.
    private async ValueTask<string?> SendInvalidAsync(
        ulong correlation, long bytes, long sent, TransferError status, CancellationToken cancellationToken)
    {
        _served.End();
        Log.ReadRefused(core.Options.Logger, reader, _served.LeaseId, status);
        for (; sent < bytes; sent += Math.Min(bytes - sent, Zeros.Length))
        {
            if (await SendSliceAsync(Zeros.AsMemory(0, (int)Math.Min(bytes - sent, Zeros.Length)), cancellationToken) is { } error)
            {
                return error;
            }
        }
        ReadCodec.WriteTrailer(_trailer, status, correlation, bytes, 0);
        return await SendSliceAsync(_trailer, cancellationToken);
    }

    private async ValueTask<string?> SendSliceAsync(ServedPiece piece, int skipped, int bytes, CancellationToken cancellationToken)
    {
        var memory = _window.Of(piece.Region, piece.Offset + skipped, bytes);
        if (_served.WantsChecksum)
        {
            _hash.Append(memory.Span);
        }
        Volatile.Write(ref _sendingFrom, piece.Region);
        try
        {
            return await SendSliceAsync(memory, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _sendingFrom, null);
        }
    }

    private async ValueTask<string?> SendSliceAsync(ReadOnlyMemory<byte> slice, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _sendingSinceTimestamp, core.Options.Clock.GetTimestamp());
        var error = await connection.SendAsync(slice, cancellationToken);
        Volatile.Write(ref _sendingSinceTimestamp, 0);
        return error;
    }

    private async Task<string?> RefuseAsync(ulong correlation, TransferError status, CancellationToken cancellationToken)
    {
        Log.ReadRefused(core.Options.Logger, reader, _served.LeaseId, status);
        var message = SideChannelCodec.EncodeMessage(status.ToString()).Written.ToArray();
        var error = await connection.WriteAsync(FrameType.ReadReply, status, correlation, message, cancellationToken);
        return status == TransferError.ProtocolViolation ? "A Read frame is malformed." : error;
    }
}
