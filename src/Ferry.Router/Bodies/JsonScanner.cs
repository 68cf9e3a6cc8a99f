using System.Buffers;

namespace Ferry.Router.Bodies;

/// <summary>
/// Finds the members of one JSON object, and checks all of the text on the way. Long strings go by in vectors also where they have escapes, which
/// every prompt has and which <see cref="System.Text.Json.Utf8JsonReader"/> takes byte by byte (docs/measurements/router.md).
/// </summary>
/// <remarks>It accepts only what that reader accepts; what it does not accept is given to the reader, which has the words for what is wrong.</remarks>
internal ref struct JsonScanner(ReadOnlySpan<byte> json, int maxDepth)
{
    /// <summary>What ends the smooth part of a string: its quote, an escape, or a control character, which may not stand there.</summary>
    private static readonly SearchValues<byte> StringStops = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(code => (byte)code), (byte)'"', (byte)'\\']);

    private static readonly SearchValues<byte> SimpleEscapes = SearchValues.Create("\"\\/bfnrt"u8);

    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;

    /// <summary>False: it is no JSON object, or one that is better judged by the reader.</summary>
    public bool TryReadObject(List<JsonMember> members)
    {
        SkipSpace();
        if (!Take((byte)'{'))
        {
            return false;
        }
        SkipSpace();
        if (!Take((byte)'}') && !TryMembers(members, depth: 1))
        {
            return false;
        }
        SkipSpace();
        return _at == _json.Length;
    }

    /// <param name="members">Null: only checked.</param>
    private bool TryMembers(List<JsonMember>? members, int depth)
    {
        while (true)
        {
            var start = _at;
            if (!TryString(out var hasEscapes) || (hasEscapes && members is not null))
            {
                return false;   // an escaped name at the top is rare enough for the reader
            }
            var nameLength = _at - start - 2;
            SkipSpace();
            if (!Take((byte)':'))
            {
                return false;
            }
            SkipSpace();
            var valueStart = _at;
            if (!TryValue(depth))
            {
                return false;
            }
            members?.Add(new JsonMember(start, nameLength, valueStart, _at, null));
            SkipSpace();
            if (Take((byte)'}'))
            {
                return true;
            }
            if (!Take((byte)','))
            {
                return false;
            }
            SkipSpace();
        }
    }

    private bool TryValue(int depth)
    {
        if (_at >= _json.Length)
        {
            return false;
        }
        switch (_json[_at])
        {
            case (byte)'"':
                return TryString(out _);
            case (byte)'{':
                _at++;
                SkipSpace();
                return depth < maxDepth && (Take((byte)'}') || TryMembers(null, depth + 1));
            case (byte)'[':
                _at++;
                SkipSpace();
                return depth < maxDepth && (Take((byte)']') || TryElements(depth + 1));
            case (byte)'t':
                return TryLiteral("true"u8);
            case (byte)'f':
                return TryLiteral("false"u8);
            case (byte)'n':
                return TryLiteral("null"u8);
            default:
                return TryNumber();
        }
    }

    private bool TryElements(int depth)
    {
        while (TryValue(depth))
        {
            SkipSpace();
            if (Take((byte)']'))
            {
                return true;
            }
            if (!Take((byte)','))
            {
                return false;
            }
            SkipSpace();
        }
        return false;
    }

    private bool TryString(out bool hasEscapes)
    {
        hasEscapes = false;
        if (!Take((byte)'"'))
        {
            return false;
        }
        while (true)
        {
            var smooth = _json[_at..].IndexOfAny(StringStops);
            if (smooth < 0)
            {
                return false;
            }
            _at += smooth;
            switch (_json[_at])
            {
                case (byte)'"':
                    _at++;
                    return true;
                case (byte)'\\':
                    hasEscapes = true;
                    if (!TryEscape())
                    {
                        return false;
                    }
                    break;
                default:
                    return false;
            }
        }
    }

    private bool TryEscape()
    {
        if (_at + 1 >= _json.Length)
        {
            return false;
        }
        if (SimpleEscapes.Contains(_json[_at + 1]))
        {
            _at += 2;
            return true;
        }
        if (_json[_at + 1] != (byte)'u' || _at + 6 > _json.Length)
        {
            return false;
        }
        for (var index = _at + 2; index < _at + 6; index++)
        {
            if (!char.IsAsciiHexDigit((char)_json[index]))
            {
                return false;
            }
        }
        _at += 6;
        return true;
    }

    private bool TryNumber()
    {
        _ = Take((byte)'-');
        if (!Take((byte)'0') && !TakeDigits())
        {
            return false;
        }
        if (Take((byte)'.') && !TakeDigits())
        {
            return false;
        }
        if (Take((byte)'e') || Take((byte)'E'))
        {
            _ = Take((byte)'+') || Take((byte)'-');
            return TakeDigits();
        }
        return true;
    }

    private bool TryLiteral(ReadOnlySpan<byte> word)
    {
        if (!_json[_at..].StartsWith(word))
        {
            return false;
        }
        _at += word.Length;
        return true;
    }

    private bool TakeDigits()
    {
        var start = _at;
        while (_at < _json.Length && char.IsAsciiDigit((char)_json[_at]))
        {
            _at++;
        }
        return _at > start;
    }

    private bool Take(byte wanted)
    {
        if (_at >= _json.Length || _json[_at] != wanted)
        {
            return false;
        }
        _at++;
        return true;
    }

    private void SkipSpace()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            _at++;
        }
    }
}
