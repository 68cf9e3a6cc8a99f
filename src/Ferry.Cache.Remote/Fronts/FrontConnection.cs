using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A client's socket, with TLS or without. One reader or writer at a time; <see cref="Abort"/> from any thread.</summary>
/// <remarks>
/// A connection that the peer or <see cref="Abort"/> ended is a value, not an exception: receiving gives 0 and sending does nothing. The socket's
/// calls block the connection's own thread and take the memory of records itself: no pipe stands between.
/// </remarks>
internal sealed class FrontConnection : IDisposable
{
    /// <summary>One receive. Of 512 KiB to 4 MiB the last costs the server least (0.55 → 0.30 CPU-s/GB at 20 MiB): each return is a task switch.</summary>
    public const int ReceiveBytesMax = 4 << 20;

    private const int SolSocket = 1;
    private const int SoRcvLowat = 18;

    /// <summary>A wake-up for each few segments costs more than the bytes: the kernel wakes a reader of a long value when so much is there.</summary>
    private const int LowWaterBytes = 2 << 20;

    /// <summary>Below, the call that asks for it costs as much as it saves.</summary>
    private const int LowWaterBytesMin = 128 << 10;

    private readonly Socket _socket;
    private readonly FrontThread _thread;
    private readonly MetricSeries _received;
    private readonly MetricSeries _sent;
    private SslStream? _tls;
    private int _end = -1;
    private int _lowWaterBytes = 1;

    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="thread">Where its calls block.</param>
    public FrontConnection(Socket socket, FrontThread thread, FrontDeadline deadline, MetricSeries received, MetricSeries sent)
    {
        _socket = socket;
        _thread = thread;
        _received = received;
        _sent = sent;
        Deadline = deadline;
        Peer = socket.RemoteEndPoint;
        Local = socket.LocalEndPoint;
        socket.NoDelay = true; // A small reply must not wait for the acknowledgement of the one before.
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

    /// <summary>Returns when all bytes are with the kernel, or the connection has ended.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (!IsOpen)
        {
            return;
        }
        await _thread.SwitchTo();
        try
        {
            if (_tls is null)
            {
                _socket.Send(bytes.Span); // Blocking: all of it.
            }
            else
            {
                _tls.Write(bytes.Span);
            }
            _sent.Add(bytes.Length);
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            Close(FrontEnd.ByPeer);
        }
    }

    /// <summary>Says how much of a value is still to come, so that the kernel wakes the reader for pieces worth it.</summary>
    public void ExpectBytes(long byteCount)
    {
        // No more than what is sure to come: the kernel waits for it. It caps the number by its own buffer, and wakes the reader when that is full.
        var lowWaterBytes = byteCount >= LowWaterBytesMin ? (int)Math.Min(byteCount, LowWaterBytes) : 1;
        if (lowWaterBytes == _lowWaterBytes || !OperatingSystem.IsLinux() || _tls is not null || !IsOpen)
        {
            return;
        }
        try
        {
            _socket.SetRawSocketOption(SolSocket, SoRcvLowat, BitConverter.GetBytes(lowWaterBytes));
            _lowWaterBytes = lowWaterBytes;
        }
        catch (Exception exception) when (IsOfThePeer(exception))
        {
            Close(FrontEnd.ByPeer);
        }
    }

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
    }

    /// <remarks>
    /// With a low-water mark a receive must not wait: the kernel would wake it only for a whole mark of new bytes, though fewer are missing and no more
    /// will come (tcp_data_ready counts from what the receive has taken already). Polling honours the mark; then what is there is taken.
    /// </remarks>
    private int Receive(Span<byte> target)
    {
        if (_lowWaterBytes > 1 && target.Length > 1)
        {
            _socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
            target = target[..Math.Clamp(_socket.Available, 1, target.Length)];
        }
        return _socket.Receive(target);
    }

    private void Close(FrontEnd reason) => Interlocked.CompareExchange(ref _end, (int)reason, -1);

    /// <summary>What a socket or TLS throws when the peer, the network or <see cref="Abort"/> ended it, or the peer broke TLS.</summary>
    private static bool IsOfThePeer(Exception exception) =>
        exception is SocketException or ObjectDisposedException or IOException or AuthenticationException;
}
