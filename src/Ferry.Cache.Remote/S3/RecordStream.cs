namespace Ferry.Cache.Remote.S3;

/// <summary>A record as a stream for a request's body, which says how far it was read.</summary>
internal sealed class RecordStream(ReadOnlyMemory<byte> record, ProgressDeadline progress) : Stream
{
    private const int WriteBytes = 1 << 20; // What one write to a socket may take before it counts as progress.

    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => record.Length;

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 && value <= record.Length ? (int)value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    public override int Read(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, record.Length - _position);
        record.Span.Slice(_position, count).CopyTo(buffer);
        Advance(count);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));

    /// <summary>Straight from the record to the socket, without a buffer between.</summary>
    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        while (_position < record.Length)
        {
            var piece = record.Slice(_position, Math.Min(WriteBytes, record.Length - _position));
            await destination.WriteAsync(piece, cancellationToken);
            Advance(piece.Length);
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => record.Length + offset,
    };

    private void Advance(int count)
    {
        _position += count;
        progress.Moved(count);
        if (_position == record.Length)
        {
            progress.AwaitAnswer(); // A store that writes to slow disks is not a store that hangs.
        }
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
