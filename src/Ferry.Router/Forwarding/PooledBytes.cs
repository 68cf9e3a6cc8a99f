using System.Buffers;

namespace Ferry.Router.Forwarding;

/// <summary>Bytes in a rented array. One owner, who disposes it when nothing reads or sends it any more.</summary>
internal sealed class PooledBytes : IDisposable
{
    private byte[]? _array;

    public PooledBytes(int capacityBytes) => _array = ArrayPool<byte>.Shared.Rent(capacityBytes);

    public int ByteCount { get; private set; }

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, ByteCount);

    /// <summary>Room behind what is there.</summary>
    public Memory<byte> Free => _array.AsMemory(ByteCount);

    public void Advance(int byteCount) => ByteCount += byteCount;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Grow(ByteCount + bytes.Length);
        bytes.CopyTo(_array.AsSpan(ByteCount));
        ByteCount += bytes.Length;
    }

    /// <summary>Drops bytes from the front.</summary>
    public void Consume(int byteCount)
    {
        _array.AsSpan(byteCount, ByteCount - byteCount).CopyTo(_array);
        ByteCount -= byteCount;
    }

    public void Grow(int capacityBytes)
    {
        ObjectDisposedException.ThrowIf(_array is null, this);
        if (_array.Length >= capacityBytes)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(capacityBytes, (int)Math.Min(_array.Length * 2L, Array.MaxLength)));
        _array.AsSpan(0, ByteCount).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            ByteCount = 0;
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
