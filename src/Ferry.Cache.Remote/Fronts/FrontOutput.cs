using System.Buffers;
using Ferry.Cache.Remote.Clients;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>Replies on their way to a client: they gather until the input is used up or much has come together, and leave by one call. Values go out from where they lie.</summary>
/// <remarks>What a pipelining client asked for in one go is answered in one go: a send for each 64 KiB woke it three times for 32 values of 4 KiB, and their copies cost a fifth of a GET.</remarks>
internal sealed class FrontOutput(FrontConnection connection, int bufferBytes) : IDisposable
{
    /// <summary>Room that <see cref="ReserveAsync"/> makes: any reply but a value or a list fits.</summary>
    public const int ReplyBytes = 4 << 10;

    /// <summary>Up to here a copy is cheaper than holding a value until it is sent.</summary>
    private const int CopyBytesMax = 1 << 10;

    /// <summary>Up to here a value waits for those behind it; a longer one is sent at once, with what waits: its time is that of its command.</summary>
    private const int HoldBytesMax = 16 << 10;

    /// <summary>Bytes and values that wait, at most: so much of the store a client that does not read keeps from being evicted.</summary>
    private const int HeldBytesMax = 256 << 10;
    private const int HeldMax = 64;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(bufferBytes);
    private HeldValue[] _held = [];
    private int _count;
    private int _heldCount;
    private int _heldBytes;

    public bool IsEmpty => _count == 0 && _heldCount == 0;

    /// <summary>Whether one small reply fits as it is.</summary>
    public bool HasRoom => _bytes.Length - _count >= ReplyBytes;

    /// <summary>Room for small replies; <see cref="Advance"/> says what was used.</summary>
    public Span<byte> Free => _bytes.AsSpan(_count);

    public void Advance(int byteCount) => _count += byteCount;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free);
        _count += bytes.Length;
    }

    /// <summary>Makes room for one small reply.</summary>
    public ValueTask ReserveAsync() => HasRoom ? ValueTask.CompletedTask : FlushAsync();

    /// <summary>Bytes of any length. When it returns they have been sent or copied: their owner may go.</summary>
    /// <param name="end">A few bytes that follow them.</param>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte> end = default)
    {
        if (bytes.Length > HoldBytesMax || bytes.Length + end.Length > _bytes.Length)
        {
            await SendAsync(bytes, end);
            return;
        }
        if (bytes.Length + end.Length > _bytes.Length - _count)
        {
            await FlushAsync();
        }
        Write(bytes.Span);
        Write(end.Span);
    }

    /// <summary>A value and what follows it, into the room that <see cref="ReserveAsync"/> made.</summary>
    /// <param name="value">Owned from now on, whatever becomes of it.</param>
    /// <param name="end">A few bytes.</param>
    public ValueTask WriteAsync(ClientValue value, ReadOnlyMemory<byte> end)
    {
        var bytes = value.Bytes;
        if (bytes.Length <= CopyBytesMax)
        {
            Write(bytes.Span);
            Write(end.Span);
            value.Dispose();
            return ValueTask.CompletedTask;
        }
        if (bytes.Length > HoldBytesMax || !connection.Gathers)
        {
            return WriteAndEndAsync(value, end);
        }
        Hold(value, bytes);
        Write(end.Span);
        return _heldCount == HeldMax || _heldBytes >= HeldBytesMax ? FlushAsync() : ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync() => IsEmpty ? ValueTask.CompletedTask : SendAsync(default, default);

    public void Dispose()
    {
        Release();
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }

    private async ValueTask WriteAndEndAsync(ClientValue value, ReadOnlyMemory<byte> end)
    {
        using (value)
        {
            await WriteAsync(value.Bytes, end);
        }
    }

    private void Hold(ClientValue value, ReadOnlyMemory<byte> bytes)
    {
        if (_held.Length == 0)
        {
            _held = new HeldValue[HeldMax]; // For the connections of those who ask so: most never do.
        }
        _held[_heldCount] = new HeldValue(value, bytes.Pin(), bytes.Length, _count);
        _heldCount++;
        _heldBytes += bytes.Length;
    }

    /// <summary>What has gathered, and behind it a value with its end.</summary>
    private async ValueTask SendAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> end)
    {
        connection.Deadline.Transfer(_count + _heldBytes + body.Length);
        await connection.SendAsync(_bytes.AsMemory(0, _count), _held.AsMemory(0, _heldCount), body, end);
        connection.Deadline.Pause();
        Release();
    }

    private void Release()
    {
        foreach (var held in _held.AsSpan(0, _heldCount))
        {
            held.Dispose();
        }
        _held.AsSpan(0, _heldCount).Clear();
        (_count, _heldCount, _heldBytes) = (0, 0, 0);
    }
}
