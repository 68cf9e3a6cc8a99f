using Docker.DotNet;

namespace Ferry.Cluster.Containers;

/// <summary>A container's log as one stream, standard output and error in the order in which they were written.</summary>
internal sealed class DockerLogStream(MultiplexedStream inner) : Stream
{
    private byte[] _copy = [];

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
        if (_copy.Length < buffer.Length)
        {
            _copy = new byte[buffer.Length];
        }
        var result = await inner.ReadOutputAsync(_copy, 0, buffer.Length, cancellationToken);
        _copy.AsSpan(0, result.Count).CopyTo(buffer.Span);
        return result.EOF ? 0 : result.Count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read it asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
