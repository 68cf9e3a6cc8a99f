namespace Ferry.Router.Forwarding;

/// <summary>Bytes that were read already, then the rest of a stream; each read resets the timer. Does not own the inner stream.</summary>
internal sealed class PrefixStream(ReadOnlyMemory<byte> prefix, Stream rest, IdleTimer idle) : Stream
{
    private ReadOnlyMemory<byte> _prefix = prefix;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_prefix.IsEmpty)
        {
            var taken = Math.Min(buffer.Length, _prefix.Length);
            _prefix[..taken].CopyTo(buffer);
            _prefix = _prefix[taken..];
            return taken;
        }
        // The timer's token has the request's as its parent: it covers both.
        var read = await rest.ReadAsync(buffer, idle.Token);
        idle.Reset();
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }
}
