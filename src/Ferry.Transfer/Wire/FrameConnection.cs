using System.IO.Hashing;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.Tls;

namespace Ferry.Transfer.Wire;

/// <summary>A socket that carries frames. One reader at a time; any number of writers.</summary>
/// <remarks>
/// Owns the socket. <see cref="Abort"/> may come from any thread and ends every wait on it. One that blocks belongs to threads that may wait in
/// the kernel: its tasks have ended when they are returned.
/// </remarks>
internal sealed class FrameConnection : IDisposable
{
    // A send that blocks returns when all has been taken: no more at a time than shows progress often enough.
    private const int BlockingSendBytesMax = 64 << 10;

    private readonly Socket _socket;
    private readonly TimeProvider _clock;
    private readonly byte[] _header = new byte[FrameHeader.HeaderBytes];
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly AheadBuffer _ahead = new();
    private byte[] _payload = new byte[256];
    private byte[] _outgoing = new byte[512];
    private long _lastReceivedTimestamp;
    private SslStream? _tls;
    private string? _abortReason;
    private bool _blocks;

    /// <param name="blocks">Sends and receives block. The socket has not waited asynchronously before: the runtime would go on looking at it.</param>
    public FrameConnection(Socket socket, TimeProvider clock, bool blocks = false)
    {
        _blocks = blocks && VectorCalls.IsSupported;
        _socket = socket;
        _clock = clock;
        _lastReceivedTimestamp = clock.GetTimestamp();
        RemoteName = socket.RemoteEndPoint?.ToString() ?? "?";
    }

    public string RemoteName { get; }

    public Socket Socket => _socket;

    /// <summary>From the next call on it waits asynchronously.</summary>
    public void StopBlocking() => _blocks = false;

    /// <summary>Encrypts everything from now on. Before the first frame; a failure leaves the connection of no more use.</summary>
    /// <returns>The error, or null.</returns>
    public async Task<string?> SecureAsync(TlsIdentity tls, bool isServer, string targetHost, CancellationToken cancellationToken)
    {
        var stream = new SslStream(new NetworkStream(_socket, ownsSocket: false));
        try
        {
            if (isServer)
            {
                await stream.AuthenticateAsServerAsync(tls.ForServer(), cancellationToken);
            }
            else
            {
                await stream.AuthenticateAsClientAsync(tls.ForClient(targetHost), cancellationToken);
            }
            _tls = stream;
            return null;
        }
        catch (Exception exception) when (exception is AuthenticationException || IsBroken(exception))
        {
            await stream.DisposeAsync();
            return Volatile.Read(ref _abortReason) ?? $"TLS: {(exception.InnerException ?? exception).Message}";
        }
    }

    /// <summary>Of the frame read last; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Since the other end last gave a sign of life: bytes of its that came, or of ours that it took.</summary>
    public TimeSpan Silence => _clock.GetElapsedTime(Volatile.Read(ref _lastReceivedTimestamp));

    /// <summary>A sign of life that this object did not see.</summary>
    public void StampReceived() => Volatile.Write(ref _lastReceivedTimestamp, _clock.GetTimestamp());

    /// <summary>The first byte that waits to be read, or null at the end. Before TLS begins.</summary>
    public async ValueTask<byte?> PeekAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(_header.AsMemory(0, 1), SocketFlags.Peek, cancellationToken) == 1 ? _header[0] : null;
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            return null;
        }
    }

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
            target = target[_ahead.Take(target.Span)..];
            while (!target.IsEmpty)
            {
                var isShort = target.Length < AheadBuffer.Bytes;
                var bytes = await ReceiveSomeAsync(isShort ? _ahead.Room : target, cancellationToken);
                if (bytes == 0)
                {
                    return Volatile.Read(ref _abortReason) ?? "The other side closed the connection.";
                }
                StampReceived();
                if (isShort)
                {
                    _ahead.Fill(bytes);
                    bytes = _ahead.Take(target.Span);
                }
                target = target[bytes..];
            }
            return null;
        }
        catch (Exception exception) when (IsBroken(exception))
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
                source = source[await SendSomeAsync(source, cancellationToken)..];
            }
            return null;
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            return Volatile.Read(ref _abortReason) ?? exception.Message;
        }
    }

    /// <summary>Receives up to <paramref name="bytesMax"/> of what <paramref name="target"/> still wants and advances it. Returns the error, or null.</summary>
    /// <param name="hash">Takes the bytes in, or null.</param>
    public async ValueTask<string?> ReceiveAsync(MemoryVector target, int bytesMax, XxHash3? hash, CancellationToken cancellationToken)
    {
        var due = Math.Min(target.BytesLeft, bytesMax);
        try
        {
            while (due > 0)
            {
                var bytes = !_ahead.IsEmpty ? _ahead.Take(target.Next((int)due).Span)
                    : _tls is null && target.IsScattered((int)due) && VectorCalls.IsSupported ? ReceiveScattered(target, (int)due) : 0L;
                if (bytes == 0)
                {
                    bytes = await ReceiveSomeAsync(target.Next((int)due), cancellationToken);
                }
                if (bytes == 0)
                {
                    return Volatile.Read(ref _abortReason) ?? "The other side closed the connection.";
                }
                StampReceived();
                target.Advance(bytes, hash);
                due -= bytes;
            }
            return null;
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            return Volatile.Read(ref _abortReason) ?? exception.Message;
        }
    }

    /// <summary>Sends up to <paramref name="bytesMax"/> of what <paramref name="source"/> still has and advances it. Only for an owner that has no other writer. Returns the error, or null.</summary>
    /// <param name="hash">Takes the bytes in, or null.</param>
    /// <param name="moreFollows">What is sent next belongs to it: the kernel may wait for that before it sends a packet.</param>
    public async ValueTask<string?> SendAsync(MemoryVector source, int bytesMax, XxHash3? hash, bool moreFollows, CancellationToken cancellationToken)
    {
        var due = Math.Min(source.BytesLeft, bytesMax);
        try
        {
            while (due > 0)
            {
                var bytes = _tls is null && VectorCalls.IsSupported && (moreFollows || source.IsScattered((int)due)) ? SendGathered(source, (int)due, moreFollows) : 0L;
                if (bytes == 0)
                {
                    bytes = await SendSomeAsync(source.Next((int)due), cancellationToken);
                }
                StampReceived(); // The buffer had room: the other end takes what went before.
                source.Advance(bytes, hash);
                due -= bytes;
            }
            return null;
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            return Volatile.Read(ref _abortReason) ?? exception.Message;
        }
    }

    /// <summary>The same with a head before it, in one call where the system has one for it.</summary>
    /// <param name="head">All of it is sent.</param>
    public async ValueTask<string?> SendAsync(ReadOnlyMemory<byte> head, MemoryVector source, int bytesMax, XxHash3? hash, bool moreFollows, CancellationToken cancellationToken)
    {
        var sent = head.IsEmpty ? 0 : TrySend(head.Span, source, bytesMax, [], hash, moreFollows);
        if (sent < head.Length && await SendAsync(head[(int)sent..], cancellationToken) is { } error)
        {
            return error;
        }
        var left = bytesMax - (int)Math.Max(0, sent - head.Length);
        return left > 0 ? await SendAsync(source, left, hash, moreFollows, cancellationToken) : null;
    }

    /// <summary>Sends what the socket takes at once of a head, the next bytes of <paramref name="source"/>, which it advances, and a tail. Only for an owner that has no other writer.</summary>
    /// <param name="tail">Goes along if all of <paramref name="source"/> does and its ranges are few enough.</param>
    /// <returns>The bytes taken of all three: none if it cannot tell, or is broken.</returns>
    public long TrySend(ReadOnlySpan<byte> head, MemoryVector source, int bytesMax, ReadOnlySpan<byte> tail, XxHash3? hash, bool moreFollows)
    {
        if (_tls is not null || !VectorCalls.IsSupported)
        {
            return 0;
        }
        Span<IoRange> ranges = stackalloc IoRange[VectorCalls.RangeCountMax];
        var count = source.Fill(ranges[1..^1], bytesMax);
        var bytes = 0L;
        foreach (var range in ranges.Slice(1, count))
        {
            bytes += (long)range.Bytes;
        }
        try
        {
            var sent = VectorCalls.TrySend(_socket, head, ranges[..(count + 2)], bytes == source.BytesLeft ? tail : [], moreFollows || bytes < source.BytesLeft);
            if (sent > 0)
            {
                StampReceived();
                source.Advance(Math.Clamp(sent - head.Length, 0, bytes), hash);
            }
            return sent;
        }
        catch (ObjectDisposedException)
        {
            return 0; // the sender that waits will be told why
        }
    }

    /// <summary>Sends what the socket takes at once. Only for an owner that has no other writer. Returns the bytes taken: none if it cannot tell, or is broken.</summary>
    /// <param name="moreFollows">As in the other sends.</param>
    public int TrySend(ReadOnlySpan<byte> source, bool moreFollows)
    {
        try
        {
            return _tls is null && VectorCalls.IsSupported ? (int)VectorCalls.TrySend(_socket, source, moreFollows) : 0;
        }
        catch (ObjectDisposedException)
        {
            return 0; // the sender that waits will be told why
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
        _tls?.Dispose();
        // _writing stays: a writer that the abort has woken may be about to release it, and it holds nothing of the system.
    }

    // TLS turns a broken socket into an IOException, and a read after the end into an InvalidOperationException.
    private static bool IsBroken(Exception exception) => exception is SocketException or ObjectDisposedException or IOException or InvalidOperationException;

    // Handed through, not awaited: a wait for the socket costs no second state machine.
    private ValueTask<int> ReceiveSomeAsync(Memory<byte> target, CancellationToken cancellationToken) =>
        _tls is not null ? _tls.ReadAsync(target, cancellationToken)
        : _blocks ? ValueTask.FromResult(ReceiveBlocking(target.Span, cancellationToken))
        : _socket.ReceiveAsync(target, SocketFlags.None, cancellationToken);

    private ValueTask<int> SendSomeAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken) =>
        _tls is not null ? SendSecureAsync(_tls, source, cancellationToken)
        : _blocks ? ValueTask.FromResult(SendBlocking(source.Span[..Math.Min(source.Length, BlockingSendBytesMax)], cancellationToken))
        : _socket.SendAsync(source, SocketFlags.None, cancellationToken);

    private int ReceiveBlocking(Span<byte> target, CancellationToken cancellationToken)
    {
        using var cancelling = AbortWhen(cancellationToken);
        try
        {
            var bytes = _socket.Receive(target);
            return bytes > 0 || !cancellationToken.IsCancellationRequested ? bytes : throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception exception) when (IsBroken(exception) && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private int SendBlocking(ReadOnlySpan<byte> source, CancellationToken cancellationToken)
    {
        using var cancelling = AbortWhen(cancellationToken);
        try
        {
            return _socket.Send(source);
        }
        catch (Exception exception) when (IsBroken(exception) && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    // Nothing but the end of the connection ends a wait in the kernel.
    private CancellationTokenRegistration AbortWhen(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return cancellationToken.UnsafeRegister(static connection => ((FrameConnection)connection!).Abort("A wait was cancelled."), this);
    }

    private static async ValueTask<int> SendSecureAsync(SslStream tls, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        await tls.WriteAsync(source, cancellationToken);
        return source.Length;
    }

    private long ReceiveScattered(MemoryVector target, int bytesMax)
    {
        Span<IoRange> ranges = stackalloc IoRange[VectorCalls.RangeCountMax];
        return VectorCalls.TryReceive(_socket, ranges[..target.Fill(ranges, bytesMax)]);
    }

    private long SendGathered(MemoryVector source, int bytesMax, bool moreFollows)
    {
        Span<IoRange> ranges = stackalloc IoRange[VectorCalls.RangeCountMax];
        return VectorCalls.TrySend(_socket, ranges[..source.Fill(ranges, bytesMax)], moreFollows);
    }
}
