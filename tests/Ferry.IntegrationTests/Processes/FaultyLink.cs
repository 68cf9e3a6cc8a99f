using System.Net;
using System.Net.Sockets;

namespace Ferry.IntegrationTests.Processes;

/// <summary>A TCP relay on loopback that harms what comes back from the far end: flips a byte, or cuts the line.</summary>
internal sealed class FaultyLink : IAsyncDisposable
{
    private const int BufferBytes = 16 << 10;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];
    private readonly int _farPort;
    private long _returned;

    public FaultyLink(int farPort)
    {
        _farPort = farPort;
        _listener.Start();
        lock (_tasks)
        {
            _tasks.Add(AcceptAsync());
        }
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes that came back so far, all connections together.</summary>
    public long ReturnedBytes => Interlocked.Read(ref _returned);

    /// <summary>Flips one bit of the byte that comes back at this position; null for none.</summary>
    public long? FlipAt { get; init; }

    /// <summary>Called once when that many bytes have come back; the line is cut after it.</summary>
    public (long AfterBytes, Func<Task> Action)? CutAfter { get; init; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Task[] tasks;
        lock (_tasks)
        {
            tasks = [.. _tasks];
        }
        await Task.WhenAll(tasks);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var near = await _listener.AcceptTcpClientAsync(_stop.Token);
                lock (_tasks)
                {
                    _tasks.Add(RelayAsync(near));
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(TcpClient near)
    {
        using var _ = near;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _farPort, _stop.Token);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var forth = CopyAsync(near.GetStream(), far.GetStream(), returning: false, ended.Token);
            var back = CopyAsync(far.GetStream(), near.GetStream(), returning: true, ended.Token);
            await Task.WhenAny(forth, back);
            await ended.CancelAsync();
            await Task.WhenAll(forth, back);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // The end of a line is what this class is for.
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool returning, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        while (await from.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            if (returning && await HarmAsync(buffer.AsMemory(0, count)))
            {
                return;
            }
            await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        }
    }

    /// <returns>True when the line is to be cut.</returns>
    private async Task<bool> HarmAsync(Memory<byte> bytes)
    {
        var end = Interlocked.Add(ref _returned, bytes.Length);
        var start = end - bytes.Length;
        if (FlipAt is { } flip && flip >= start && flip < end)
        {
            bytes.Span[(int)(flip - start)] ^= 0x10;
        }
        if (CutAfter is { } cut && end >= cut.AfterBytes)
        {
            if (start < cut.AfterBytes)
            {
                await cut.Action();
            }
            return true;
        }
        return false;
    }
}
