using System.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>Reads commands out of a byte stream, one at a time, however it is cut. No I/O, no allocation but the table of arguments.</summary>
/// <remarks>
/// It takes up where it stopped: a client that sends byte by byte costs no more than one that does not. Every length is checked against
/// <see cref="RespLimits"/> before a byte is waited for. Messages are Redis' own where it has one.
/// </remarks>
internal sealed class RespParser(RespLimits limits)
{
    private const long NumberMax = long.MaxValue / 100; // Far above every limit; one digit more does not overflow.

    private (int Offset, int ByteCount)[] _arguments = new (int, int)[8];
    private int _expected = -1;
    private int _position;
    private bool _valueEnds;

    /// <summary>Arguments of the command, its name among them.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the whole command, without a value that was taken out.</summary>
    public int ConsumedCount => _position;

    public int ValueOffset => _position;

    public int ValueBytes { get; private set; }

    /// <summary>The value of this SET was taken out of the stream.</summary>
    public bool IsValueTaken { get; private set; }

    public string Error { get; private set; } = "";

    /// <summary>Where the argument lies, counted from the command's first byte.</summary>
    public (int Offset, int ByteCount) this[int index] => _arguments[index];

    /// <param name="unread">From the command's first byte on, all that is there. Inline commands are unquoted in place.</param>
    /// <param name="isTrusted">False for a client that has yet to give its password: it may send little.</param>
    public RespParse Read(Span<byte> unread, bool isTrusted)
    {
        if (_expected < 0)
        {
            if (unread.IsEmpty)
            {
                return RespParse.NeedMore;
            }
            var header = unread[0] == (byte)'*' ? ReadHeader(unread, isTrusted) : ReadInline(unread);
            if (header != RespParse.Command || Count > 0)
            {
                return header;
            }
        }
        if (_valueEnds && !TryReadEnd(unread, out var found))
        {
            return found;
        }
        while (Count < _expected)
        {
            var argument = ReadArgument(unread, isTrusted);
            if (argument != RespParse.Command)
            {
                return argument;
            }
        }
        return RespParse.Command;
    }

    /// <summary>The bytes of the value are out of the stream; what follows it moved up to <see cref="ValueOffset"/>.</summary>
    public void ValueTaken()
    {
        Add(_position, 0);
        IsValueTaken = true;
        _valueEnds = true;
    }

    /// <summary>The command is done; the next begins where it ended.</summary>
    public void Next()
    {
        _expected = -1;
        _position = 0;
        Count = 0;
        ValueBytes = 0;
        IsValueTaken = false;
        _valueEnds = false;
        if (_arguments.Length > 1024)
        {
            _arguments = new (int, int)[8];
        }
    }

    /// <summary>Whether a command may continue beyond <paramref name="unreadCount"/> bytes that hold only a part of it.</summary>
    public bool MayGrow(int unreadCount) => unreadCount < limits.CommandBytesMax;

    private RespParse ReadHeader(ReadOnlySpan<byte> unread, bool isTrusted)
    {
        if (!TryReadNumber(unread, 0, out var count, out var next, out var isBroken))
        {
            return isBroken ? Fail("Protocol error: invalid multibulk length") : RespParse.NeedMore;
        }
        if (count > RespLimits.ArgumentsMax)
        {
            return Fail("Protocol error: invalid multibulk length");
        }
        if (!isTrusted && count > RespLimits.UnauthenticatedArgumentsMax)
        {
            return Fail("Protocol error: unauthenticated multibulk length");
        }
        _expected = (int)Math.Max(0, count);
        _position = next;
        return RespParse.Command;
    }

    private RespParse ReadArgument(ReadOnlySpan<byte> unread, bool isTrusted)
    {
        if (_position >= unread.Length)
        {
            return RespParse.NeedMore;
        }
        if (unread[_position] != (byte)'$')
        {
            return Fail($"Protocol error: expected '$', got '{Printable(unread[_position])}'");
        }
        if (!TryReadNumber(unread, _position, out var byteCount, out var start, out var isBroken))
        {
            return isBroken ? Fail("Protocol error: invalid bulk length") : RespParse.NeedMore;
        }
        if (byteCount < 0 || byteCount > limits.ValueBytesMax)
        {
            return Fail("Protocol error: invalid bulk length");
        }
        if (!isTrusted && byteCount > RespLimits.UnauthenticatedArgumentBytesMax)
        {
            return Fail("Protocol error: unauthenticated bulk length");
        }
        var length = (int)byteCount;
        var isWhole = unread.Length - start >= length + 2;
        if (!isWhole && length > RespLimits.BufferedValueBytesMax && Count == 2 && IsSet(unread))
        {
            _position = start;
            ValueBytes = length;
            return RespParse.Value;
        }
        if (!isWhole && length > limits.CommandBytesMax - start - 2)
        {
            return Fail($"an argument of {length} bytes is too long here: a command has at most {limits.CommandBytesMax} bytes besides the value of a SET");
        }
        if (!isWhole)
        {
            return RespParse.NeedMore;
        }
        Add(start, length);
        _position = start + length;
        _valueEnds = true;
        return TryReadEnd(unread, out var found) ? RespParse.Command : found;
    }

    /// <summary>The CR LF behind an argument. Redis reads past any two bytes there; here a client that lost count is told so.</summary>
    private bool TryReadEnd(ReadOnlySpan<byte> unread, out RespParse found)
    {
        found = RespParse.NeedMore;
        if (unread.Length - _position < 2)
        {
            return false;
        }
        if (!unread[_position..].StartsWith("\r\n"u8))
        {
            found = Fail("Protocol error: expected CR LF behind an argument");
            return false;
        }
        _position += 2;
        _valueEnds = false;
        return true;
    }

    private RespParse ReadInline(Span<byte> unread)
    {
        var line = unread[..Math.Min(unread.Length, RespLimits.InlineBytesMax)];
        var end = line.IndexOf((byte)'\n');
        if (end < 0)
        {
            return unread.Length >= RespLimits.InlineBytesMax ? Fail("Protocol error: too big inline request") : RespParse.NeedMore;
        }
        _position = end + 1;
        _expected = 0;
        if (end > 0 && line[end - 1] == (byte)'\r')
        {
            end--;
        }
        if (!InlineArguments.TrySplit(line[..end], Add))
        {
            return Fail("Protocol error: unbalanced quotes in request");
        }
        _expected = Count;
        return RespParse.Command;
    }

    private void Add(int offset, int byteCount)
    {
        if (Count == _arguments.Length)
        {
            Array.Resize(ref _arguments, 2 * Count);
        }
        _arguments[Count++] = (offset, byteCount);
    }

    private bool IsSet(ReadOnlySpan<byte> unread)
    {
        var name = unread.Slice(_arguments[0].Offset, _arguments[0].ByteCount);
        return Ascii.EqualsIgnoreCase(name, "SET"u8) || Ascii.EqualsIgnoreCase(name, "SETNX"u8);
    }

    private RespParse Fail(string error)
    {
        Error = error;
        return RespParse.Error;
    }

    /// <summary>A signed decimal number between the type byte at <paramref name="at"/> and CR LF.</summary>
    /// <returns>False when it is not whole yet, or <paramref name="isBroken"/>.</returns>
    private static bool TryReadNumber(ReadOnlySpan<byte> unread, int at, out long number, out int next, out bool isBroken)
    {
        number = 0;
        next = 0;
        var line = unread.Slice(at + 1, Math.Min(unread.Length - at - 1, RespLimits.NumberLineBytesMax));
        var first = line.Length > 0 && line[0] == (byte)'-' ? 1 : 0;
        var end = first;
        // Not .NET's own parser, which would take blanks and signs that Redis does not.
        for (; end < line.Length && line[end] is >= (byte)'0' and <= (byte)'9' && number <= NumberMax; end++)
        {
            number = (number * 10) + (line[end] - (byte)'0');
        }
        number = first == 0 ? number : -number;
        if (end + 1 >= line.Length && (end == line.Length || line[end] == (byte)'\r'))
        {
            isBroken = line.Length == RespLimits.NumberLineBytesMax;
            return false;
        }
        isBroken = end == first || !line[end..].StartsWith("\r\n"u8);
        next = at + 1 + end + 2;
        return !isBroken;
    }

    private static string Printable(byte value) => value is >= 0x20 and < 0x7F ? ((char)value).ToString() : $"\\x{value:x2}";
}
