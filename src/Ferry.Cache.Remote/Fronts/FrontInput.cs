using System.Buffers;
using Ferry.Cache.Remote.Clients;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>What a client has sent and nobody has read yet. Positions count from the first unread byte.</summary>
/// <param name="bufferBytesMax">A command that needs more than <paramref name="bufferBytes"/> makes the buffer grow up to this; it shrinks after it.</param>
internal sealed class FrontInput(FrontConnection connection, int bufferBytes, int bufferBytesMax) : IDisposable
{
    private const int SkipBytes = 64 << 10;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(bufferBytes);
    private int _start;
    private int _end;

    public Span<byte> Unread => _bytes.AsSpan(_start, _end - _start);

    public int UnreadCount => _end - _start;

    public ReadOnlyMemory<byte> Memory(int offset, int byteCount) => _bytes.AsMemory(_start + offset, byteCount);

    /// <summary>For callers that want bytes of no meaning read.</summary>
    public Memory<byte> Scratch => _bytes;

    public void Consume(int byteCount)
    {
        _start += byteCount;
        if (_start == _end)
        {
            _start = _end = 0;
            if (_bytes.Length > 2 * bufferBytes) // The pool gives powers of two: rented for bufferBytes it is never as long.
            {
                ArrayPool<byte>.Shared.Return(_bytes);
                _bytes = ArrayPool<byte>.Shared.Rent(bufferBytes);
            }
        }
    }

    /// <summary>Receives more behind what is unread.</summary>
    /// <returns>False once the connection has ended.</returns>
    /// <exception cref="InvalidOperationException">The buffer is full: the caller asked for more than it may hold.</exception>
    public async ValueTask<bool> ReceiveAsync()
    {
        MakeRoom();
        var count = await connection.ReceiveAsync(_bytes.AsMemory(_end));
        _end += count;
        return count > 0;
    }

    /// <summary>Moves <paramref name="byteCount"/> bytes that start at <paramref name="offset"/> out of the stream, to their place: what is here already, then the rest straight from the socket.</summary>
    /// <param name="write">Null: they are read past.</param>
    /// <returns>False when the connection ended first.</returns>
    public async ValueTask<bool> TakeAsync(int offset, int byteCount, ClientWrite? write)
    {
        var here = Math.Min(byteCount, UnreadCount - offset);
        if (here > 0)
        {
            write?.Append(Unread.Slice(offset, here));
        }
        Cut(offset, here);
        if (here == byteCount)
        {
            return true;
        }
        connection.Deadline.Transfer(byteCount - here);
        var arrived = write is null ? await SkipAsync(byteCount - here) : await ReceiveAsync(write, here, byteCount);
        connection.ExpectBytes(0);
        return arrived;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
    }

    private async ValueTask<bool> ReceiveAsync(ClientWrite write, int from, int byteCount)
    {
        for (var done = from; done < byteCount;)
        {
            connection.ExpectBytes(byteCount - done);
            var count = await connection.ReceiveAsync(write.Bytes[done..byteCount]);
            if (count == 0)
            {
                return false;
            }
            write.Advance(count);
            done += count;
        }
        return true;
    }

    private async ValueTask<bool> SkipAsync(int byteCount)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(SkipBytes);
        try
        {
            while (byteCount > 0)
            {
                var count = await connection.ReceiveAsync(scratch.AsMemory(0, Math.Min(byteCount, scratch.Length)));
                if (count == 0)
                {
                    return false;
                }
                byteCount -= count;
            }
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private void Cut(int offset, int byteCount)
    {
        var behind = Unread[(offset + byteCount)..];
        behind.CopyTo(Unread[offset..]);
        _end -= byteCount;
    }

    private void MakeRoom()
    {
        if (_end < _bytes.Length)
        {
            return;
        }
        if (_start == 0 && _bytes.Length >= bufferBytesMax)
        {
            throw new InvalidOperationException($"The input buffer is full: {UnreadCount} bytes.");
        }
        var target = _start > 0 ? _bytes : ArrayPool<byte>.Shared.Rent(Math.Min(2 * _bytes.Length, bufferBytesMax));
        Unread.CopyTo(target);
        (_start, _end) = (0, UnreadCount);
        if (target != _bytes)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = target;
        }
    }
}
