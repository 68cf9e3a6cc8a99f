namespace Ferry.Cluster.Diagnosis;

/// <summary>A stream that can be looked ahead into at its beginning and counts what was read. Leaves the other stream open.</summary>
internal sealed class CountedInput(Stream inner, int bufferBytes) : Stream
{
    private readonly byte[] _buffer = new byte[bufferBytes];
    private int _at;
    private int _held;

    public long BytesRead { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => BytesRead;
        set => throw new NotSupportedException();
    }

    /// <returns>The first bytes, fewer only when the stream ends before.</returns>
    public async ValueTask<byte[]> PeekAsync(int count, CancellationToken cancellationToken)
    {
        while (_held < count)
        {
            var read = await inner.ReadAsync(_buffer.AsMemory(_held), cancellationToken);
            if (read == 0)
            {
                break;
            }
            _held += read;
        }
        return _buffer[..Math.Min(count, _held)];
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = _at < _held ? TakeHeld(buffer.Span) : await inner.ReadAsync(buffer, cancellationToken);
        BytesRead += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = _at < _held ? TakeHeld(buffer.AsSpan(offset, count)) : inner.Read(buffer, offset, count);
        BytesRead += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int TakeHeld(Span<byte> to)
    {
        var count = Math.Min(to.Length, _held - _at);
        _buffer.AsSpan(_at, count).CopyTo(to);
        _at += count;
        return count;
    }
}
