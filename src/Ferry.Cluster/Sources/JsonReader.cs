using System.Globalization;
using System.Text;

namespace Ferry.Cluster.Sources;

/// <summary>Reads JSON (RFC 8259) out of a text with places; the first error ends it.</summary>
internal sealed class JsonReader
{
    /// <summary>Deeper than any configuration; keeps the recursion within the stack.</summary>
    private const int MaxDepth = 64;

    private readonly SourcedText _text;
    private readonly string _value;
    private int _at;

    private JsonReader(SourcedText text)
    {
        _text = text;
        _value = text.Value;
    }

    /// <summary>The value, or null with the error.</summary>
    public static DataNode? TryRead(SourcedText text, out JsonError? error)
    {
        var reader = new JsonReader(text);
        try
        {
            var value = reader.ReadValue(0);
            reader.SkipBlanks();
            if (reader._at < reader._value.Length) { throw reader.Fail("the end", 1); }
            error = null;
            return value;
        }
        catch (JsonSyntaxException exception)
        {
            error = exception.Error;
            return null;
        }
    }

    private DataNode ReadValue(int depth)
    {
        SkipBlanks();
        if (depth > MaxDepth) { throw Fail($"at most {MaxDepth} levels", 1); }
        if (_at >= _value.Length) { throw Fail("a value", 0); }
        switch (_value[_at])
        {
            case '{': return ReadObject(depth);
            case '[': return ReadArray(depth);
            case '"':
                return new DataNode(DataKind.String, ReadString());
            case 't': return ReadWord("true", DataKind.True);
            case 'f': return ReadWord("false", DataKind.False);
            case 'n': return ReadWord("null", DataKind.Null);
            case '\'': throw Fail("a value; strings stand in double quotes", 1);
            case 'T' or 'F' or 'N':
                throw Fail("a value; JSON writes true, false and null, in lower case", WordLength());
            default: return ReadNumber();
        }
    }

    private DataNode ReadObject(int depth)
    {
        var start = _at++;
        var members = new List<DataMember>();
        SkipBlanks();
        if (Peek() == '}')
        {
            _at++;
            return new DataNode(DataKind.Object, Container(start));
        }
        while (true)
        {
            SkipBlanks();
            if (Peek() != '"') { throw Fail(Peek() == '}' ? "a key behind the comma (JSON has no comma before '}')" : "a key in double quotes", WordLength()); }
            var key = ReadString();
            SkipBlanks();
            if (Peek() != ':') { throw Fail($"':' behind the key \"{key.Value}\"", 1); }
            _at++;
            members.Add(new DataMember(key, ReadValue(depth + 1)));
            SkipBlanks();
            if (Peek() == ',')
            {
                _at++;
                continue;
            }
            if (Peek() != '}') { throw Fail("',' or '}'", 1); }
            _at++;
            return new DataNode(DataKind.Object, Container(start)) { Members = members };
        }
    }

    /// <summary>All of an object or array: the place alone, for a copy of the text at each level would grow with the square of the depth.</summary>
    private SourcedText Container(int start) => new("", _text.Slice(start, _at - start), []);

    private DataNode ReadArray(int depth)
    {
        var start = _at++;
        var items = new List<DataNode>();
        SkipBlanks();
        if (Peek() == ']')
        {
            _at++;
            return new DataNode(DataKind.Array, Container(start));
        }
        while (true)
        {
            items.Add(ReadValue(depth + 1));
            SkipBlanks();
            if (Peek() == ',')
            {
                _at++;
                continue;
            }
            if (Peek() != ']') { throw Fail("',' or ']'", 1); }
            _at++;
            return new DataNode(DataKind.Array, Container(start)) { Items = items };
        }
    }

    private SourcedText ReadString()
    {
        var quote = _at++;
        var value = new StringBuilder();
        var offsets = new List<int>();
        var isPlain = true;
        while (true)
        {
            if (_at >= _value.Length)
            {
                _at = quote;
                throw Fail("a closing '\"' for the string that begins here", 1);
            }
            var c = _value[_at];
            if (c == '"') { break; }
            if (c < ' ') { throw Fail("no line end or control character inside a string", 1); }
            offsets.Add(_text.OffsetAt(_at));
            if (c == '\\')
            {
                isPlain = false;
                value.Append(ReadEscape());
                continue;
            }
            value.Append(c);
            _at++;
        }
        var length = _at - quote - 1;
        _at++;
        return isPlain
            ? _text.Part(quote + 1, length)
            : new SourcedText(value.ToString(), _text.Slice(quote + 1, length), [.. offsets], _text.HasUnknown);
    }

    private char ReadEscape()
    {
        var kind = _at + 1 < _value.Length ? _value[_at + 1] : '\0';
        if (kind == 'u')
        {
            if (_at + 6 > _value.Length ||
                !ushort.TryParse(_value.AsSpan(_at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                throw Fail("four hexadecimal digits behind \\u", 2);
            }
            _at += 6;
            return (char)code;
        }
        var escaped = kind switch
        {
            '"' or '\\' or '/' => kind,
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => throw Fail("one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u", 2),
        };
        _at += 2;
        return escaped;
    }

    private DataNode ReadWord(string word, DataKind kind)
    {
        if (string.CompareOrdinal(_value, _at, word, 0, word.Length) != 0 || WordLength() != word.Length) { throw Fail("a value", WordLength()); }
        _at += word.Length;
        return new DataNode(kind, _text.Part(_at - word.Length, word.Length));
    }

    private DataNode ReadNumber()
    {
        var length = WordLength();
        var word = _value.AsSpan(_at, length);
        if (length == 0 || !(char.IsAsciiDigit(word[0]) || word[0] == '-') ||
            !double.TryParse(word, NumberStyles.Float & ~NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out _))
        {
            throw Fail("a value (a string stands in double quotes)", Math.Max(1, length));
        }
        _at += length;
        return new DataNode(DataKind.Number, _text.Part(_at - length, length));
    }

    /// <summary>Characters up to the next blank or mark, at least one unless at the end.</summary>
    private int WordLength()
    {
        var end = _at;
        while (end < _value.Length && !char.IsWhiteSpace(_value[end]) && _value[end] is not (',' or '}' or ']' or ':' or '"' or '{' or '[')) { end++; }
        return Math.Max(end - _at, Math.Min(1, _value.Length - _at));
    }

    private char Peek() => _at < _value.Length ? _value[_at] : '\0';

    private void SkipBlanks()
    {
        while (_at < _value.Length && _value[_at] is (' ' or '\t' or '\r' or '\n')) { _at++; }
    }

    private JsonSyntaxException Fail(string expected, int length)
    {
        var found = _at >= _value.Length ? "the end" : $"'{_value.Substring(_at, Math.Min(Math.Max(1, length), Math.Min(24, _value.Length - _at)))}'";
        return new JsonSyntaxException(new JsonError($"expected {expected}, found {found} (character {_at + 1})", _text.Slice(_at, length)));
    }

    private sealed class JsonSyntaxException(JsonError error) : Exception
    {
        public JsonError Error { get; } = error;
    }
}
