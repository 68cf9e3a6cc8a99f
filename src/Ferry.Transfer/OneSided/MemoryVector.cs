using System.IO.Hashing;

namespace Ferry.Transfer.OneSided;

/// <summary>A list of ranges of own memory, and how far along it bytes have come. Reused, so that a segment allocates nothing.</summary>
/// <remarks>Not thread-safe. Whoever fills it holds a use of every region until it is cleared.</remarks>
internal sealed class MemoryVector : IDisposable
{
    private readonly List<MemoryPiece> _pieces = [];
    private readonly NativeWindow _window = new();
    private int _index;
    private int _skipped; // of the piece at _index

    /// <summary>Bytes still to move.</summary>
    public long BytesLeft { get; private set; }

    public void Clear()
    {
        _pieces.Clear();
        (_index, _skipped, BytesLeft) = (0, 0, 0);
    }

    /// <summary>Appends a range; one that begins where the last ends is joined to it.</summary>
    public void Add(MemoryRegion region, long offset, int bytes)
    {
        BytesLeft += bytes;
        if (_pieces is [.., var last] && last.Region == region && last.Offset + last.Bytes == offset && last.Bytes <= int.MaxValue - bytes)
        {
            _pieces[^1] = last with { Bytes = last.Bytes + bytes };
        }
        else
        {
            _pieces.Add(new MemoryPiece(region, offset, bytes));
        }
    }

    /// <summary>The rest of the current piece, at most <paramref name="bytesMax"/>; valid until the next call. Only while bytes are left.</summary>
    public Memory<byte> Next(int bytesMax)
    {
        var piece = _pieces[_index];
        return _window.Of(piece.Region, piece.Offset + _skipped, Math.Min(bytesMax, piece.Bytes - _skipped));
    }

    /// <summary>Whether the next <paramref name="bytesMax"/> bytes lie in more than one piece.</summary>
    public bool IsScattered(int bytesMax) => _index + 1 < _pieces.Count && _pieces[_index].Bytes - _skipped < bytesMax;

    /// <summary>Describes the next bytes to the kernel: at most <paramref name="bytesMax"/>, at most as many ranges as fit. Returns their number.</summary>
    public int Fill(Span<IoRange> ranges, int bytesMax)
    {
        var count = 0;
        for (var (index, skipped, left) = (_index, _skipped, (long)bytesMax); count < ranges.Length && index < _pieces.Count && left > 0; index++, count++)
        {
            var piece = _pieces[index];
            var bytes = (int)Math.Min(piece.Bytes - skipped, left);
            ranges[count] = IoRange.Of(piece.Region, piece.Offset + skipped, bytes);
            left -= bytes;
            skipped = 0;
        }
        return count;
    }

    /// <summary>Bytes have moved.</summary>
    /// <param name="hash">Takes them in, or null.</param>
    public void Advance(long bytes, XxHash3? hash)
    {
        BytesLeft -= bytes;
        while (bytes > 0)
        {
            var piece = _pieces[_index];
            var step = (int)Math.Min(bytes, piece.Bytes - _skipped);
            hash?.Append(piece.Region.Span(piece.Offset + _skipped, step));
            bytes -= step;
            _skipped += step;
            if (_skipped == piece.Bytes)
            {
                (_index, _skipped) = (_index + 1, 0);
            }
        }
    }

    public void Dispose() => ((IDisposable)_window).Dispose();
}
