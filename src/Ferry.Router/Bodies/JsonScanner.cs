using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
        SkipNaturals();
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

    /// <summary>Elements that are whole numbers, as far as their comma stands behind them: token ids and block ids come by the thousand. What is left over is taken value by value.</summary>
    private void SkipNaturals()
    {
        var json = _json;
        var at = _at;
        while (true)
        {
            var end = at;
            while ((uint)end < (uint)json.Length && (uint)(json[end] - '0') <= 9)
            {
                end++;
            }
            // No digit, or one too many behind a 0: for the careful way to judge.
            if (end == at || (json[at] == (byte)'0' && end > at + 1) || end >= json.Length || json[end] != (byte)',')
            {
                _at = at;
                return;
            }
            at = end + 1;
            while ((uint)at < (uint)json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            {
                at++;
            }
        }
    }

    private bool TryString(out bool hasEscapes)
    {
        hasEscapes = false;
        if (!Take((byte)'"'))
        {
            return false;
        }
        // Text has a line break every few dozen bytes: one look at 32 of them finds all that stand there.
        while (_at + Vector256<byte>.Count <= _json.Length)
        {
            var block = Vector256.LoadUnsafe(in MemoryMarshal.GetReference(_json), (nuint)_at);
            var stops = (Vector256.Equals(block, Vector256.Create((byte)'"')) | Vector256.Equals(block, Vector256.Create((byte)'\\'))
                | Vector256.LessThan(block, Vector256.Create((byte)' '))).ExtractMostSignificantBits();
            var next = 0;   // what stands before this place of the block has been dealt with
            for (; stops != 0; stops &= stops - 1)
            {
                var stop = BitOperations.TrailingZeroCount(stops);
                if (stop < next)
                {
                    continue;   // the character behind a backslash
                }
                if (_json[_at + stop] != (byte)'\\')
                {
                    _at += stop;
                    return Take((byte)'"');
                }
                if (EscapeBytes(_at + stop) is not (> 0 and var length))
                {
                    return false;
                }
                hasEscapes = true;
                next = stop + length;
            }
            _at += Math.Max(Vector256<byte>.Count, next);
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
                    if (EscapeBytes(_at) is not (> 0 and var length))
                    {
                        return false;
                    }
                    hasEscapes = true;
                    _at += length;
                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>Length of the escape that begins with the backslash there; 0: it is none.</summary>
    private readonly int EscapeBytes(int at)
    {
        if (at + 1 >= _json.Length)
        {
            return 0;
        }
        if (_json[at + 1] is (byte)'n' or (byte)'"' or (byte)'\\' or (byte)'t' or (byte)'r' or (byte)'/' or (byte)'b' or (byte)'f')
        {
            return 2;
        }
        if (_json[at + 1] != (byte)'u' || at + 6 > _json.Length)
        {
            return 0;
        }
        for (var index = at + 2; index < at + 6; index++)
        {
            if (!char.IsAsciiHexDigit((char)_json[index]))
            {
                return 0;
            }
        }
        return 6;
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
