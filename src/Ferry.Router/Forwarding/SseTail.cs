namespace Ferry.Router.Forwarding;

/// <summary>The last bytes of an event stream: whether an event is open, and whether [DONE] has come.</summary>
internal sealed class SseTail
{
    private static ReadOnlySpan<byte> Done => "data: [DONE]"u8;

    private readonly byte[] _last = new byte[32];
    private int _count;

    public bool IsAtEventEnd => _count == 0 || Last.EndsWith("\n\n"u8) || Last.EndsWith("\r\n\r\n"u8);

    public bool EndsWithDone => Last.TrimEnd("\r\n"u8).EndsWith(Done);

    private ReadOnlySpan<byte> Last => _last.AsSpan(0, _count);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= _last.Length)
        {
            bytes[^_last.Length..].CopyTo(_last);
            _count = _last.Length;
            return;
        }
        var kept = Math.Min(_count, _last.Length - bytes.Length);
        _last.AsSpan(_count - kept, kept).CopyTo(_last);
        bytes.CopyTo(_last.AsSpan(kept));
        _count = kept + bytes.Length;
    }
}
