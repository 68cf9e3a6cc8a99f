using System.Net.Sockets;

namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>A socket that carries NIXLCOMM frames. One reader and one writer at a time. Owns the socket.</summary>
internal sealed class NixlCommConnection(Socket socket, NixlLimits limits) : IDisposable
{
    // Memory follows the bytes that have come, not the length that was claimed.
    private const int GrowBytes = 64 << 10;

    public string RemoteName { get; } = socket.RemoteEndPoint?.ToString() ?? "unknown";

    /// <summary>Sends one frame. Returns the error, or null.</summary>
    public async Task<string?> SendAsync(NixlCommCommand command, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> rest = NixlCommCodec.Encode(command, body.Span);
        try
        {
            while (!rest.IsEmpty)
            {
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellationToken)..];
            }
            return null;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return exception.Message;
        }
    }

    /// <summary>Receives one frame; after an error the connection is of no more use.</summary>
    /// <param name="patience">From the first byte of a frame to its last: a peer that drips bytes is cut off. The wait for a first byte is the token's affair.</param>
    public async Task<(NixlCommMessage Message, string? Error)> ReceiveAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var length = new byte[NixlCommCodec.LengthBytes];
        try
        {
            if (await ReceiveAsync(length.AsMemory(0, 1), cancellationToken) is { } closed)
            {
                return (default, closed);
            }
            using var timeout = new CancellationTokenSource(patience, time);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                return await ReceiveRestAsync(length, deadline.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return (default, $"A frame was not complete within {patience}.");
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return (default, exception.Message);
        }
    }

    public void Dispose() => socket.Dispose();

    private async Task<(NixlCommMessage Message, string? Error)> ReceiveRestAsync(byte[] length, CancellationToken cancellationToken)
    {
        if (await ReceiveAsync(length.AsMemory(1), cancellationToken) is { } closed)
        {
            return (default, closed);
        }
        if (NixlCommCodec.TryReadLength(length, limits, out var frameBytes) is { } wrong)
        {
            return (default, wrong);
        }
        var frame = new byte[Math.Min(frameBytes, GrowBytes)];
        for (var received = 0; received < frameBytes;)
        {
            if (received == frame.Length)
            {
                Array.Resize(ref frame, (int)Math.Min(frameBytes, 2L * frame.Length));
            }
            if (await ReceiveAsync(frame.AsMemory(received), cancellationToken) is { } cut)
            {
                return (default, cut);
            }
            received = frame.Length;
        }
        var error = NixlCommCodec.TryRead(frame, limits, out var message);
        return (message, error);
    }

    private async Task<string?> ReceiveAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        while (!target.IsEmpty)
        {
            var bytes = await socket.ReceiveAsync(target, SocketFlags.None, cancellationToken);
            if (bytes == 0)
            {
                return "The other side closed the connection.";
            }
            target = target[bytes..];
        }
        return null;
    }
}
