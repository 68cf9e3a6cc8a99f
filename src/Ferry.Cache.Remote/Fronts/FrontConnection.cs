using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Ferry.Kv.Metrics;
using Ferry.Kv.Sockets;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A client's socket, with TLS or without. One reader or writer at a time; <see cref="Abort"/> from any thread.</summary>
/// <remarks>
/// A connection that the peer or <see cref="Abort"/> ended is a value, not an exception: receiving gives 0 and sending does nothing. The socket's
/// calls block the connection's own thread and take the memory of records itself: no pipe stands between.
/// </remarks>
internal sealed class FrontConnection : IDisposable
{
    /// <summary>One receive of a long value. Its checksum is taken after each, while the processor's second cache (1 MiB and more) still holds the piece.</summary>
    private const int PieceBytesMax = 256 << 10;

    private const int SolSocket = 1;
    private const int SoRcvLowat = 18;

    /// <summary>
    /// A wake-up for each few segments costs more than the bytes: the kernel wakes a reader of a long value when so much is there (0.55 → 0.30 CPU-s/GB at 20 MiB).
    /// With more than this the queue outgrows the processors' caches, and both ends wait for memory: 470 ms/GB at 2 MiB where 395 do.
    /// </summary>
    private const int LowWaterBytesMax = 512 << 10;

    /// <summary>Below, the call that asks for it costs as much as it saves.</summary>
    private const int LowWaterBytesMin = 128 << 10;

    private readonly Socket _socket;
    private readonly FrontThread _thread;
    private readonly FrontVigil _vigil;
    private readonly MetricSeries _received;
    private readonly MetricSeries _sent;
    private SslStream? _tls;
    private int _end = -1;
    private int _lowWaterBytes = 1;
    private long _expectedBytes;
    private int _readyBytes; // With a low-water mark: what the kernel is known to hold.

    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="thread">Where its calls block.</param>
    /// <param name="threads">The front's.</param>
    public FrontConnection(Socket socket, FrontThread thread, AwakeThreads threads, FrontDeadline deadline, MetricSeries received, MetricSeries sent)
    {
        _socket = socket;
        _thread = thread;
        _vigil = new FrontVigil(threads);
        _received = received;
        _sent = sent;
        Deadline = deadline;
        Peer = socket.RemoteEndPoint;
        Local = socket.LocalEndPoint;
        socket.Tune();
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true); // Half-open connections end some day.
    }

    public FrontDeadline Deadline { get; }

    public EndPoint? Peer { get; }

    public EndPoint? Local { get; }

    /// <summary>The front's.</summary>
    public int Port => (Local as IPEndPoint)?.Port ?? 0;

    /// <summary>False once nothing more can be received or sent.</summary>
    public bool IsOpen => Volatile.Read(ref _end) < 0;

    public FrontEnd End => (FrontEnd)Math.Max(0, Volatile.Read(ref _end));

    /// <summary>On the connection's thread.</summary>
    /// <returns>False when the handshake failed.</returns>
    public bool Secure(X509Certificate2 certificate, SslStreamCertificateContext chain)
    {
        var tls = new SslStream(new NetworkStream(_socket, ownsSocket: false));
        _tls = tls;
        Deadline.Step();
        try
        {
            tls.AuthenticateAsServer(new SslServerAuthenticationOptions { ServerCertificate = certificate, ServerCertificateContext = chain });
            return true;
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            Close(FrontEnd.Handshake);
            return false;
        }
    }

    /// <summary>Whether bytes are here already, so that a receive will not wait. False where nobody can say.</summary>
    public bool HasBytes
    {
        get
        {
            try
            {
                return IsOpen && _tls is null && _socket.Available > 0;
            }
            catch (Exception exception) when (IsOfThePeer(exception))
            {
                return false; // The next receive says so.
            }
        }
    }

    /// <summary>What has come, at most <paramref name="target"/>'s length; 0 once the connection has ended.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> target)
    {
        if (!IsOpen)
        {
            return 0;
        }
        await _thread.SwitchTo();
        try
        {
            var count = _tls is null ? Receive(target.Span) : _tls.Read(target.Span);
            if (count == 0)
            {
                Close(FrontEnd.ByPeer);
            }
            _received.Add(count);
            return count;
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            Close(FrontEnd.ByPeer);
            return 0;
        }
    }

    /// <summary>Whether many pieces leave by one call for nothing: over TLS each is a record of its own.</summary>
    public bool Gathers => _tls is null && OperatingSystem.IsLinux();

    /// <summary>Returns when all bytes are with the kernel, or the connection has ended. The parts leave together.</summary>
    /// <param name="held">Values between the bytes of <paramref name="head"/>.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> head, ReadOnlyMemory<HeldValue> held, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        if (!IsOpen)
        {
            return;
        }
        await _thread.SwitchTo();
        try
        {
            var byteCount = Send(head.Span, held.Span, body.Span, tail.Span);
            _vigil.Moved(byteCount);
            _sent.Add(byteCount);
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            Close(FrontEnd.ByPeer);
        }
    }

    /// <summary>Says how much of a value is still to come, so that the kernel wakes the reader for pieces worth it.</summary>
    public void ExpectBytes(long byteCount) => _expectedBytes = byteCount;

    /// <summary>Ends the connection: a receive or send in progress returns, and the peer sees a close, not a reset. The first reason stays.</summary>
    public void Abort(FrontEnd reason)
    {
        Close(reason);
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            // It has gone already.
        }
    }

    /// <summary>As <see cref="Abort"/>, and whatever the peer does: the socket is given back now.</summary>
    public void Cut(FrontEnd reason)
    {
        Close(reason);
        _socket.Dispose();
    }

    /// <summary>Ends the connection after what was sent: the peer gets it, though bytes of its own are still on their way.</summary>
    /// <remarks>Closing a socket with unread bytes resets it, and a reset makes the peer's kernel drop what it has not read yet: the error message.</remarks>
    public async ValueTask LingerAsync(FrontEnd reason, long byteCountMax, Memory<byte> scratch)
    {
        if (!IsOpen)
        {
            return;
        }
        await _thread.SwitchTo();
        Deadline.Step();
        ExpectBytes(0);
        try
        {
            SetLowWater();
            _tls?.Dispose(); // Says goodbye; the socket stays.
            _socket.Shutdown(SocketShutdown.Send);
            while (byteCountMax > 0 && _socket.Receive(scratch.Span) is var count and > 0)
            {
                byteCountMax -= count;
            }
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            // It has gone already: what was to be said is said.
        }
        Abort(reason);
    }

    public void Dispose()
    {
        Cut(FrontEnd.Stopping);
        _tls?.Dispose();
        _vigil.Dispose();
    }

    /// <remarks>
    /// With a low-water mark a receive must not wait: the kernel would wake it only for a whole mark of new bytes, though fewer are missing and no more
    /// will come (tcp_data_ready counts from what the receive has taken already). Polling honours the mark; then what is there is taken, piece by piece.
    /// </remarks>
    private int Receive(Span<byte> target)
    {
        if (_readyBytes == 0)
        {
            SetLowWater();
            if (_lowWaterBytes == 1)
            {
                _vigil.Watch(_socket);
                var taken = _socket.Receive(target);
                _vigil.Begin();
                _vigil.Moved(taken);
                return taken;
            }
            _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
            _readyBytes = Math.Max(1, _socket.Available);
        }
        var count = _socket.Receive(target[..Math.Min(Math.Min(target.Length, PieceBytesMax), _readyBytes)]);
        _readyBytes -= count;
        _vigil.Moved(count);
        return count;
    }

    /// <summary>No more than what is sure to come: the kernel waits for it. It caps the number by its own buffer, and wakes the reader when that is full.</summary>
    private void SetLowWater()
    {
        // Half of what is to come: the end of a value of 512 KiB is still being sent while its beginning is taken.
        var lowWaterBytes = _expectedBytes >= LowWaterBytesMin ? (int)Math.Min(_expectedBytes, Math.Clamp(_expectedBytes / 2, PieceBytesMax, LowWaterBytesMax)) : 1;
        if (lowWaterBytes != _lowWaterBytes && OperatingSystem.IsLinux() && _tls is null)
        {
            _socket.SetRawSocketOption(SolSocket, SoRcvLowat, BitConverter.GetBytes(lowWaterBytes));
            _lowWaterBytes = lowWaterBytes;
        }
    }

    /// <returns>Bytes sent.</returns>
    private long Send(ReadOnlySpan<byte> head, ReadOnlySpan<HeldValue> held, ReadOnlySpan<byte> body, ReadOnlySpan<byte> tail)
    {
        if (Gathers)
        {
            return SocketGather.Send(_socket, head, held, body, tail);
        }
        var (at, byteCount) = (0, (long)head.Length + body.Length + tail.Length);
        foreach (var value in held)
        {
            SendPart(head[at..value.At]);
            SendPart(value.Bytes);
            at = value.At;
            byteCount += value.ByteCount;
        }
        SendPart(head[at..]);
        SendPart(body);
        SendPart(tail);
        return byteCount;
    }

    private void SendPart(ReadOnlySpan<byte> bytes)
    {
        if (_tls is not null && !bytes.IsEmpty)
        {
            _tls.Write(bytes);
        }
        else if (!bytes.IsEmpty)
        {
            _socket.Send(bytes); // Blocking: all of it.
        }
    }

    private void Close(FrontEnd reason) => Interlocked.CompareExchange(ref _end, (int)reason, -1);

    /// <summary>What a socket or TLS throws when the peer, the network or <see cref="Abort"/> ended it, or the peer broke TLS.</summary>
    private static bool IsOfThePeer(Exception exception) =>
        exception is SocketException or ObjectDisposedException or IOException or AuthenticationException;
}
