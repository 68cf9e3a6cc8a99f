using System.Net;

namespace Ferry.Cache.Remote.S3;

/// <summary>A record as the body of a request: straight from its memory to the socket, saying how far it is.</summary>
/// <remarks>
/// When a request is given up, HttpClient answers at once and leaves the sending to end by itself on the closed connection. Whoever owns the memory must not have
/// it back before: <see cref="UnusedAsync"/>.
/// </remarks>
internal sealed class RecordBody(ReadOnlyMemory<byte> record, ProgressDeadline progress)
{
    private const int WriteBytes = 256 << 10; // What one write to a socket moves before it counts as progress: by the idle time-out of 2 s a line may be as slow as 128 kB/s.

    private readonly Lock _lock = new();
    private int _sending;
    private TaskCompletionSource? _unused;

    /// <summary>Content for one sending; the SDK may send once more over another line.</summary>
    public HttpContent MakeContent() => new Content(this, record.Length);

    /// <summary>Ends when nothing reads the record any more.</summary>
    public Task UnusedAsync()
    {
        lock (_lock)
        {
            return _sending == 0 ? Task.CompletedTask : (_unused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private async Task SendAsync(Stream stream, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _sending++;
        }
        try
        {
            for (var sent = 0; sent < record.Length;)
            {
                var piece = record.Slice(sent, Math.Min(WriteBytes, record.Length - sent));
                await stream.WriteAsync(piece, cancellationToken);
                sent += piece.Length;
                progress.Moved(piece.Length);
            }
            progress.AwaitAnswer(); // What the sockets and the store hold of it is not on its disks yet.
        }
        finally
        {
            lock (_lock)
            {
                if (--_sending == 0)
                {
                    _unused?.TrySetResult();
                }
            }
        }
    }

    private sealed class Content(RecordBody body, int length) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => body.SendAsync(stream, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => body.SendAsync(stream, cancellationToken);

        protected override bool TryComputeLength(out long byteCount)
        {
            byteCount = length;
            return true;
        }
    }
}
