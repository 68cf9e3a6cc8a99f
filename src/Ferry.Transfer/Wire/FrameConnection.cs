using System.Net.Sockets;

namespace Ferry.Transfer.Wire;

/// <summary>A socket that carries frames. One reader at a time; any number of writers.</summary>
/// <remarks>Owns the socket. <see cref="Abort"/> may come from any thread and ends every wait on it.</remarks>
internal sealed class FrameConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly TimeProvider _clock;
    private readonly byte[] _header = new byte[FrameHeader.HeaderBytes];
    private readonly SemaphoreSlim _writing = new(1, 1);
    private byte[] _payload = new byte[256];
    private byte[] _outgoing = new byte[512];
    private long _lastReceivedTimestamp;
    private string? _abortReason;

    public FrameConnection(Socket socket, TimeProvider clock)
    {
        _socket = socket;
        _clock = clock;
        _lastReceivedTimestamp = clock.GetTimestamp();
        RemoteName = socket.RemoteEndPoint?.ToString() ?? "?";
    }

    public string RemoteName { get; }

    /// <summary>For the bytes of reads, which travel beside frames.</summary>
    public Socket Socket => _socket;

    /// <summary>Of the frame read last; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Since anything came.</summary>
    public TimeSpan Silence => _clock.GetElapsedTime(Volatile.Read(ref _lastReceivedTimestamp));

    /// <summary>Bytes came outside of frames.</summary>
    public void StampReceived() => Volatile.Write(ref _lastReceivedTimestamp, _clock.GetTimestamp());

    /// <summary>Reads one whole, checked frame. Never throws but for cancellation.</summary>
    /// <param name="payloadBytesMax">Longer ones are a violation: nothing is allocated for them.</param>
    public async ValueTask<FrameResult> ReadAsync(int payloadBytesMax, CancellationToken cancellationToken)
    {
        if (await ReceiveAsync(_header, cancellationToken) is { } headerError)
        {
            return FrameResult.Failed(TransferError.ConnectionLost, headerError);
        }
        if (FrameHeader.TryRead(_header, payloadBytesMax, out var header) is { } error)
        {
            return FrameResult.Failed(FrameHeader.IsOtherVersion(_header) ? TransferError.VersionMismatch : TransferError.ProtocolViolation, error);
        }
        if (_payload.Length < header.PayloadBytes)
        {
            _payload = new byte[header.PayloadBytes];
        }
        Payload = _payload.AsMemory(0, header.PayloadBytes);
        if (await ReceiveAsync(_payload.AsMemory(0, header.PayloadBytes), cancellationToken) is { } payloadError)
        {
            return FrameResult.Failed(TransferError.ConnectionLost, payloadError);
        }
        return FrameHeader.IsIntact(_header, Payload.Span)
            ? new FrameResult(header, TransferError.None, string.Empty)
            : FrameResult.Failed(TransferError.ProtocolViolation, "A frame's checksum is wrong.");
    }

    /// <summary>Fills <paramref name="target"/>. Returns the error, or null.</summary>
    public async ValueTask<string?> ReceiveAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        try
        {
            while (!target.IsEmpty)
            {
                var bytes = await _socket.ReceiveAsync(target, SocketFlags.None, cancellationToken);
                if (bytes == 0)
                {
                    return Volatile.Read(ref _abortReason) ?? "The other side closed the connection.";
                }
                StampReceived();
                target = target[bytes..];
            }
            return null;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return Volatile.Read(ref _abortReason) ?? exception.Message;
        }
    }

    /// <summary>Sends all of <paramref name="source"/>. Only for an owner that has no other writer. Returns the error, or null.</summary>
    public async ValueTask<string?> SendAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        try
        {
            while (!source.IsEmpty)
            {
                source = source[await _socket.SendAsync(source, SocketFlags.None, cancellationToken)..];
            }
            return null;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return Volatile.Read(ref _abortReason) ?? exception.Message;
        }
    }

    /// <summary>Sends one frame; writers take turns. Returns the error, or null.</summary>
    public async ValueTask<string?> WriteAsync(
        FrameType type, TransferError status, ulong correlation, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var frameBytes = FrameHeader.HeaderBytes + payload.Length;
            if (_outgoing.Length < frameBytes)
            {
                _outgoing = new byte[frameBytes];
            }
            FrameHeader.Write(_outgoing, type, status, correlation, payload.Span);
            return await SendAsync(_outgoing.AsMemory(0, frameBytes), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A frame of which only a part went out cannot be followed by another.
            Abort("A write was cancelled.");
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Breaks the connection: every wait on it ends, with <paramref name="reason"/> if it is the first.</summary>
    public void Abort(string reason)
    {
        if (Interlocked.CompareExchange(ref _abortReason, reason, null) is null)
        {
            _socket.Dispose();
        }
    }

    /// <summary>Only once nobody reads or writes any more.</summary>
    public void Dispose()
    {
        Abort("The connection was disposed.");
        _writing.Dispose();
    }
}
