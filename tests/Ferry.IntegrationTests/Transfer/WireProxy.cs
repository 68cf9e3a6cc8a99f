using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Stands between a reader and an owner: passes bytes on, or holds them back, damages them, or cuts the line.</summary>
internal sealed class WireProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int _targetPort;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly ConcurrentBag<Task> _pumps = [];
    private readonly Task _accepting;
    private volatile TaskCompletionSource _flowing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<Socket, long> _toReaderByConnection = new();
    private long _toReaderBytes;
    private long _flipAt = -1;

    public WireProxy(string targetEndpoint)
    {
        _targetPort = int.Parse(targetEndpoint[(targetEndpoint.LastIndexOf(':') + 1)..]);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Endpoint = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";
        _flowing.SetResult();
        _accepting = AcceptAsync();
    }

    public string Endpoint { get; }

    /// <summary>Bytes that have gone from the owner to the reader.</summary>
    public long ToReaderBytes => Interlocked.Read(ref _toReaderBytes);

    /// <summary>The same of each connection, the one that carried most first.</summary>
    public IReadOnlyList<long> ToReaderBytesByConnection => [.. _toReaderByConnection.Values.OrderDescending()];

    /// <summary>From now on nothing passes, in either direction; connections stay open, as with a stopped process or a pulled cable.</summary>
    public void Freeze() => _flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Flips one bit of the byte that is <paramref name="bytesFromNow"/> ahead on its way to the reader.</summary>
    public void FlipBit(long bytesFromNow) => Interlocked.Exchange(ref _flipAt, ToReaderBytes + bytesFromNow);

    /// <summary>Breaks every connection.</summary>
    public void Cut()
    {
        foreach (var socket in _sockets)
        {
            socket.Close(0); // a reset, as from a killed process with unread bytes
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        Cut();
        _flowing.TrySetResult();
        await _accepting;
        await Task.WhenAll(_pumps);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var reader = await _listener.AcceptAsync(_stopping.Token);
                var owner = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await owner.ConnectAsync(IPAddress.Loopback, _targetPort, _stopping.Token);
                _sockets.Add(reader);
                _sockets.Add(owner);
                _pumps.Add(PumpAsync(reader, owner, false));
                _pumps.Add(PumpAsync(owner, reader, true));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool toReader)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer) is var bytes and > 0)
            {
                await _flowing.Task.WaitAsync(_stopping.Token);
                if (toReader)
                {
                    var end = Interlocked.Add(ref _toReaderBytes, bytes);
                    _toReaderByConnection.AddOrUpdate(from, bytes, (_, sum) => sum + bytes);
                    var flip = Interlocked.Read(ref _flipAt);
                    if (flip >= end - bytes && flip < end)
                    {
                        buffer[flip - (end - bytes)] ^= 0x10;
                        Interlocked.Exchange(ref _flipAt, -1);
                    }
                }
                for (var sent = 0; sent < bytes;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, bytes - sent));
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut or disposed.
        }
        from.Dispose();
        to.Dispose();
    }
}
