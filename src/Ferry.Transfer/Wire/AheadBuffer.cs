namespace Ferry.Transfer.Wire;

/// <summary>What has come behind a short piece that was waited for, and belongs to the next. The reader's alone.</summary>
internal sealed class AheadBuffer
{
    /// <summary>
    /// What is shorter is received together with what follows it, so that a frame takes one call and not two: a question is 80 bytes, the answer before a segment's bytes 56.
    /// The rest of the buffer is copied twice, so it is small.
    /// </summary>
    public const int Bytes = 256;

    private readonly byte[] _bytes = new byte[Bytes];
    private int _begin;
    private int _end;

    public bool IsEmpty => _begin == _end;

    /// <summary>To be received into while it is empty; then <see cref="Fill"/>.</summary>
    public Memory<byte> Room => _bytes;

    public void Fill(int bytes) => (_begin, _end) = (0, bytes);

    /// <summary>Moves as much as there is, or as fits; returns the bytes.</summary>
    public int Take(Span<byte> target)
    {
        var bytes = Math.Min(target.Length, _end - _begin);
        _bytes.AsSpan(_begin, bytes).CopyTo(target);
        _begin += bytes;
        return bytes;
    }
}
