using System.Text;
using Ferry.Cache.Remote.Resp;

namespace Ferry.UnitTests.Cache.Remote.Resp;

/// <summary>Drives a parser over a stream that arrives in pieces, as a session does, and keeps what it found.</summary>
internal sealed class ParsedCommands(RespLimits limits, bool isTrusted = true)
{
    private readonly RespParser _parser = new(limits);
    private byte[] _unread = [];
    private byte[]? _value;

    /// <summary>Words of each command; a value that was taken out of the stream stands in its place.</summary>
    public List<string[]> Commands { get; } = [];

    public string? Error { get; private set; }

    /// <summary>The most that lay unread at a time.</summary>
    public int UnreadMax { get; private set; }

    public int ValuesTaken { get; private set; }

    public static ParsedCommands Of(string text, RespLimits? limits = null, bool isTrusted = true)
    {
        var parsed = new ParsedCommands(limits ?? new RespLimits(256 << 10, 512 << 20), isTrusted);
        parsed.Add(Encoding.Latin1.GetBytes(text));
        return parsed;
    }

    public void Add(ReadOnlySpan<byte> piece)
    {
        _unread = [.. _unread, .. piece];
        while (Error is null && Step())
        {
        }
        UnreadMax = Math.Max(UnreadMax, _unread.Length);
    }

    private bool Step()
    {
        if (_value is not null)
        {
            return FillValue();
        }
        switch (_parser.Read(_unread, isTrusted))
        {
            case RespParse.Command:
                Keep();
                return true;
            case RespParse.Value:
                _value = new byte[_parser.ValueBytes];
                Filled = 0;
                ValuesTaken++;
                return FillValue();
            case RespParse.Error:
                Error = _parser.Error;
                return false;
            default:
                if (!_parser.MayGrow(_unread.Length))
                {
                    Error = "too long";
                }
                return false;
        }
    }

    private int Filled { get; set; }

    private bool FillValue()
    {
        var here = Math.Min(_value!.Length - Filled, _unread.Length - _parser.ValueOffset);
        _unread.AsSpan(_parser.ValueOffset, here).CopyTo(_value.AsSpan(Filled));
        _unread = [.. _unread[.._parser.ValueOffset], .. _unread[(_parser.ValueOffset + here)..]];
        Filled += here;
        if (Filled < _value.Length)
        {
            return false;
        }
        _parser.ValueTaken();
        LastValue = _value;
        _value = null;
        return true;
    }

    private byte[]? LastValue { get; set; }

    private void Keep()
    {
        if (_parser.Count > 0)
        {
            Commands.Add([.. Enumerable.Range(0, _parser.Count).Select(index => index == 2 && _parser.IsValueTaken
                ? Encoding.Latin1.GetString(LastValue!)
                : Encoding.Latin1.GetString(_unread, _parser[index].Offset, _parser[index].ByteCount))]);
        }
        _unread = _unread[_parser.ConsumedCount..];
        _parser.Next();
    }
}
