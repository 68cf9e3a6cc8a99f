using System.Net;
using System.Net.Sockets;

namespace Ferry.TestKit.Lab;

/// <summary>A TCP relay on loopback that harms what comes back from the far end: flips a byte, slows it down, holds it back, or cuts the line.</summary>
public sealed class FaultyLink : IAsyncDisposable
{
    private const int BufferBytes = 16 << 10;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];
    private readonly int _farPort;
    private long _returned;
    private int _lines;

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

    /// <summary>Connections accepted so far.</summary>
    public int Lines => Volatile.Read(ref _lines);

    /// <summary>Flips one bit of the byte that comes back at this position; null for none.</summary>
    public long? FlipAt { get; init; }

    /// <summary>Called once when that many bytes have come back; the line is cut after it.</summary>
    public (long AfterBytes, Func<Task> Action)? CutAfter { get; init; }

    /// <summary>Asked for each new line, by its number from 0 on; null for a line without fault. May be changed at any time.</summary>
    public Func<int, LineFault?> FaultOf { get; set; } = static _ => null;

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
                var fault = FaultOf(Interlocked.Increment(ref _lines) - 1);
                lock (_tasks)
                {
                    _tasks.Add(RelayAsync(near, fault));
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(TcpClient near, LineFault? fault)
    {
        using var _ = near;
        using var far = new TcpClient();
        try
        {
            if (fault?.Answer is { } answer)
            {
                await AnswerAsync(near.GetStream(), answer);
                return;
            }
            await far.ConnectAsync(IPAddress.Loopback, _farPort, _stop.Token);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var forthFault = fault is null ? null : new LineFault { BytesPerSecond = fault.ForthBytesPerSecond, CutAtByte = fault.ForthCutAtByte, HangAtByte = fault.ForthHangAtByte };
            var forth = CopyAsync(near.GetStream(), far.GetStream(), returning: false, forthFault, ended.Token);
            var back = CopyAsync(far.GetStream(), near.GetStream(), returning: true, fault, ended.Token);
            await Task.WhenAny(forth, back);
            await ended.CancelAsync();
            await Task.WhenAll(forth, back);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // The end of a line is what this class is for.
        }
    }

    /// <summary>Reads one HTTP request to its end, so that its sender is ready to hear, and answers it.</summary>
    private async Task AnswerAsync(NetworkStream near, byte[] answer)
    {
        var request = new List<byte>();
        var buffer = new byte[BufferBytes];
        var bodyStart = -1;
        var bodyBytes = 0L;
        while (bodyStart < 0 || bodyBytes > 0)
        {
            var count = await near.ReadAsync(buffer, _stop.Token);
            if (count == 0)
            {
                return;
            }
            if (bodyStart >= 0)
            {
                bodyBytes -= count;
                continue;
            }
            request.AddRange(buffer.AsSpan(0, count));
            var text = System.Text.Encoding.Latin1.GetString([.. request]);
            bodyStart = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (bodyStart >= 0)
            {
                var length = text.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
                bodyBytes = (length is null ? 0 : long.Parse(length[15..])) - (request.Count - bodyStart - 4);
            }
        }
        await near.WriteAsync(answer, _stop.Token);
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool returning, LineFault? fault, CancellationToken cancellationToken)
    {
        var buffer = new byte[fault?.BytesPerSecond is { } rate ? Math.Clamp(rate / 20, 1, BufferBytes) : BufferBytes];
        var position = 0L;
        while (await from.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            if (returning && await HarmAsync(buffer.AsMemory(0, count)))
            {
                return;
            }
            if (fault is not null)
            {
                count = Harm(fault, buffer.AsSpan(0, count), position);
            }
            await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            position += count;
            if (fault?.BytesPerSecond is { } bytesPerSecond)
            {
                await Task.Delay(TimeSpan.FromSeconds((double)count / bytesPerSecond), cancellationToken);
            }
            if (position >= fault?.CutAtByte)
            {
                return;
            }
            if (position >= fault?.HangAtByte)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
        }
    }

    /// <returns>How many of the bytes still pass.</returns>
    private static int Harm(LineFault fault, Span<byte> bytes, long position)
    {
        if (fault.FlipAtByte is { } flip && flip >= position && flip < position + bytes.Length)
        {
            bytes[(int)(flip - position)] ^= 0x10;
        }
        var end = Math.Min(fault.CutAtByte ?? long.MaxValue, fault.HangAtByte ?? long.MaxValue);
        return (int)Math.Clamp(end - position, 0, bytes.Length);
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
