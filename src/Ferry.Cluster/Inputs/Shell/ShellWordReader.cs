using System.Text;
using Ferry.Cluster.Lint.Rules.Shell;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>Reads one word: quotes, escapes, variables, substitutions, and the placeholders that guides leave in.</summary>
internal sealed class ShellWordReader(ShellCursor cursor)
{
    private const int MaxPlaceholderLength = 64;

    /// <summary>Elements of one <c>NAME=( … )</c>; a longer list is cut into words of its own.</summary>
    private const int MaxElements = 4096;

    private readonly List<ShellPart> _parts = [];
    private readonly StringBuilder _literal = new();
    private readonly List<int> _offsets = [];
    private bool _isLiteralQuoted;

    /// <summary>No quote of this kind, or no closing parenthesis, stands behind this offset: known after the first search that failed.</summary>
    private int _noSingle = int.MaxValue;
    private int _noDouble = int.MaxValue;
    private int _noParenthesis = int.MaxValue;

    /// <summary>The word at the cursor; at least one character is taken.</summary>
    public ShellWord Read()
    {
        var start = cursor.At;
        var parts = ReadParts(start);
        var word = new ShellWord(parts, cursor.Span(start, cursor.At));
        return cursor.Peek() == '(' && word.AssignedNameLength() is var name && name > 0 && word.Raw.EndsWith('=')
            ? word with { Elements = ReadElements(), Span = cursor.Span(start, cursor.At) }
            : word;
    }

    /// <summary>The length of a placeholder such as <c>&lt;prefill-node-ip&gt;</c> at an offset, or 0.</summary>
    public static int PlaceholderLength(ShellCursor cursor, int at)
    {
        if (at >= cursor.Value.Length || cursor.Value[at] != '<') { return 0; }
        for (var i = at + 1; i < cursor.Value.Length && i - at < MaxPlaceholderLength; i++)
        {
            var c = cursor.Value[i];
            if (c == '>') { return i - at >= 2 && char.IsAsciiLetterOrDigit(cursor.Value[i - 1]) && char.IsAsciiLetter(cursor.Value[at + 1]) ? i - at + 1 : 0; }
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ' ' or ':' or '/')) { return 0; }
        }
        return 0;
    }

    private List<ShellPart> ReadParts(int start)
    {
        _parts.Clear();
        while (!cursor.IsAtEnd && !IsEndOfWord(start))
        {
            ReadPart();
        }
        FlushLiteral();
        return [.. _parts];
    }

    private bool IsEndOfWord(int start)
    {
        var c = cursor.Peek();
        return c switch
        {
            ' ' or '\t' or '\n' or ';' or '|' or ')' => true,
            '\r' => cursor.Peek(1) == '\n',
            '(' => cursor.At > start,
            '&' => true,
            '<' => PlaceholderLength(cursor, cursor.At) == 0,
            '>' => true,
            _ => false,
        };
    }

    private void ReadPart()
    {
        var c = cursor.Peek();
        switch (c)
        {
            case '\\' when cursor.JoinLength(cursor.At) is var join and > 0:
                cursor.At += join;
                return;
            case '\\':
                cursor.At++;
                if (!cursor.IsAtEnd) { Take(isQuoted: true); }
                return;
            case '\'':
                ReadSingle();
                return;
            case '"':
                ReadDouble();
                return;
            case '$' when cursor.Peek(1) == '\'':
                ReadAnsi();
                return;
            case '$':
                ReadDollar(isQuoted: false);
                return;
            case '`':
                ReadBackticks(isQuoted: false);
                return;
            case '<':
                ReadPlaceholder();
                return;
            case '\u201C' or '\u201D' or '\u2018' or '\u2019':
                cursor.Defects.Add(new SourceDefect(TypographicCharacter.Id, cursor.Span(cursor.At, cursor.At + 1),
                    $"This is U+{(int)c:X4}.", new TextEdit(cursor.Span(cursor.At, cursor.At + 1), c is '\u201C' or '\u201D' ? "\"" : "'")));
                Take(isQuoted: false);
                return;
            case '\u2013' or '\u2014' or '\u2212' when _literal.Length == 0 && _parts.Count == 0:
                cursor.Defects.Add(new SourceDefect(TypographicCharacter.Id, cursor.Span(cursor.At, cursor.At + 1),
                    $"This is U+{(int)c:X4}.", new TextEdit(cursor.Span(cursor.At, cursor.At + 1), cursor.Peek(1) == '-' ? "-" : "--")));
                Take(isQuoted: false);
                return;
            default:
                Take(isQuoted: false);
                return;
        }
    }

    private void ReadPlaceholder()
    {
        var length = PlaceholderLength(cursor, cursor.At);
        FlushLiteral();
        var span = cursor.Span(cursor.At, cursor.At + length);
        cursor.Defects.Add(new SourceDefect(PlaceholderRedirect.Id, span, $"Put the value in the place of {span.Text}, or a quoted \"$VARIABLE\"."));
        _parts.Add(new ShellPart(ShellPartKind.Unknown, cursor.Text.Part(cursor.At, length), true));
        cursor.At += length;
    }

    private void ReadSingle()
    {
        var start = cursor.At;
        var end = start >= _noSingle ? -1 : cursor.Value.IndexOf('\'', start + 1);
        if (end < 0)
        {
            _noSingle = Math.Min(_noSingle, start);
            end = Unterminated(start, "'");
        }
        for (cursor.At = start + 1; cursor.At < end;) { Take(isQuoted: true); }
        MarkQuoted();
        cursor.At = Math.Min(cursor.Value.Length, end < cursor.Value.Length && cursor.Value[end] == '\'' ? end + 1 : end);
    }

    /// <summary>Notes it, and goes on behind the line, where the next command most likely begins.</summary>
    private int Unterminated(int start, string quote)
    {
        cursor.Defects.Add(new SourceDefect(UnterminatedQuote.Id, cursor.Span(start, start + 1), $"No {quote} follows in this text."));
        return cursor.LineEnd(start);
    }

    private void ReadDouble()
    {
        var start = cursor.At;
        var end = FindDoubleEnd(start + 1);
        var isOpen = end < 0;
        if (isOpen)
        {
            _noDouble = Math.Min(_noDouble, start);
            end = Unterminated(start, "\"");
        }
        cursor.At = start + 1;
        while (cursor.At < end)
        {
            var c = cursor.Peek();
            if (cursor.JoinLength(cursor.At) is var join && join > 0) { cursor.At += join; }
            else if (c == '\\' && cursor.Peek(1) is '"' or '\\' or '$' or '`')
            {
                cursor.At++;
                Take(isQuoted: true);
            }
            else if (c == '$') { ReadDollar(isQuoted: true); }
            else if (c == '`') { ReadBackticks(isQuoted: true); }
            else { Take(isQuoted: true); }
        }
        MarkQuoted();
        cursor.At = Math.Min(cursor.Value.Length, Math.Max(cursor.At, isOpen ? end : end + 1));
    }

    private int FindDoubleEnd(int at)
    {
        if (at > _noDouble) { return -1; }
        while (at < cursor.Value.Length)
        {
            var c = cursor.Value[at];
            if (c == '"') { return at; }
            if (c == '$' && at + 1 < cursor.Value.Length && cursor.Value[at + 1] == '(')
            {
                var close = FindParenthesis(at + 2);
                at = close < 0 ? at + 2 : close;
                continue;
            }
            at += c == '\\' ? 2 : 1;
        }
        return -1;
    }

    private void ReadAnsi()
    {
        cursor.At += 2;
        while (!cursor.IsAtEnd && cursor.Peek() != '\'' && cursor.Peek() != '\n')
        {
            if (cursor.Peek() == '\\' && cursor.Peek(1) != '\0')
            {
                var escaped = cursor.Peek(1) switch { 'n' => '\n', 't' => '\t', 'r' => '\r', var other => other };
                Append(escaped, cursor.At, isQuoted: true);
                cursor.At += 2;
                continue;
            }
            Take(isQuoted: true);
        }
        MarkQuoted();
        if (cursor.Peek() == '\'') { cursor.At++; }
    }

    private void ReadDollar(bool isQuoted)
    {
        var start = cursor.At;
        var next = cursor.Peek(1);
        if (next == '{')
        {
            ReadBraces(start, isQuoted);
        }
        else if (next == '(')
        {
            var close = FindParenthesis(start + 2);
            AddPart(ShellPartKind.Unknown, start, close < 0 ? Math.Min(cursor.LineEnd(start), cursor.Value.Length) : close, isQuoted);
        }
        else if (char.IsAsciiLetter(next) || next == '_')
        {
            var end = start + 2;
            while (end < cursor.Value.Length && (char.IsAsciiLetterOrDigit(cursor.Value[end]) || cursor.Value[end] == '_')) { end++; }
            AddPart(ShellPartKind.Variable, start, end, isQuoted, cursor.Value[(start + 1)..end]);
        }
        else if (char.IsAsciiDigit(next) || next is '@' or '*' or '#' or '?' or '$' or '!' or '-')
        {
            AddPart(ShellPartKind.Unknown, start, start + 2, isQuoted);
        }
        else
        {
            Take(isQuoted);
        }
    }

    private void ReadBraces(int start, bool isQuoted)
    {
        var end = start + 2;
        var lineEnd = cursor.LineEnd(start);
        for (var depth = 1; end < lineEnd; end++)
        {
            if (cursor.Value[end] == '{') { depth++; }
            else if (cursor.Value[end] == '}' && --depth == 0) { break; }
        }
        if (end >= lineEnd)
        {
            Take(isQuoted);   // not closed on its line: as characters
            return;
        }
        var inner = cursor.Value[(start + 2)..end];
        var nameLength = 0;
        while (nameLength < inner.Length && (char.IsAsciiLetterOrDigit(inner[nameLength]) || inner[nameLength] == '_')) { nameLength++; }
        var name = inner[..nameLength];
        var rest = inner[nameLength..];
        if (nameLength == 0 || char.IsAsciiDigit(name[0])) { AddPart(ShellPartKind.Unknown, start, end + 1, isQuoted); }
        else if (rest.Length == 0) { AddPart(ShellPartKind.Variable, start, end + 1, isQuoted, name); }
        else if (rest is "[@]" or "[*]") { AddPart(ShellPartKind.Array, start, end + 1, isQuoted, name); }
        else if (Operator(rest) is { Length: > 0 } op)
        {
            var from = start + 2 + nameLength + op.Length;
            var word = cursor.Text.Part(from, end - from);
            AddPart(ShellPartKind.Variable, start, end + 1, isQuoted, name, op.EndsWith('?') ? null : word, op.EndsWith('?'));
        }
        else { AddPart(ShellPartKind.Unknown, start, end + 1, isQuoted); }
    }

    private static string Operator(string rest) =>
        rest.StartsWith(":-", StringComparison.Ordinal) || rest.StartsWith(":=", StringComparison.Ordinal) || rest.StartsWith(":?", StringComparison.Ordinal) ? rest[..2]
        : rest[0] is '-' or '=' or '?' ? rest[..1] : "";

    private void ReadBackticks(bool isQuoted)
    {
        var end = cursor.Value.IndexOf('`', cursor.At + 1, cursor.LineEnd(cursor.At) - cursor.At - 1);
        AddPart(ShellPartKind.Unknown, cursor.At, end < 0 ? cursor.At + 1 : end + 1, isQuoted);
    }

    /// <summary>Behind the parenthesis that closes the one before <paramref name="at"/>, or -1.</summary>
    private int FindParenthesis(int at)
    {
        if (at > _noParenthesis) { return -1; }
        var depth = 1;
        for (var i = at; i < cursor.Value.Length; i++)
        {
            var c = cursor.Value[i];
            if (c == '\\') { i++; }
            else if (c == '(') { depth++; }
            else if (c == ')' && --depth == 0) { return i + 1; }
        }
        _noParenthesis = at;
        return -1;
    }

    private List<ShellWord> ReadElements()
    {
        cursor.At++;
        var elements = new List<ShellWord>();
        while (!cursor.IsAtEnd && cursor.Peek() != ')' && elements.Count < MaxElements)
        {
            var c = cursor.Peek();
            if (char.IsWhiteSpace(c)) { cursor.At++; }
            else if (cursor.JoinLength(cursor.At) is var join && join > 0) { cursor.At += join; }
            else if (c == '#') { cursor.At = cursor.LineEnd(cursor.At); }
            else
            {
                var start = cursor.At;
                var parts = ReadParts(start);
                if (cursor.At == start) { cursor.At++; }
                if (parts.Count > 0) { elements.Add(new ShellWord(parts, cursor.Span(start, cursor.At))); }
            }
        }
        if (cursor.Peek() == ')') { cursor.At++; }
        return elements;
    }

    private void AddPart(ShellPartKind kind, int start, int end, bool isQuoted, string? name = null, SourcedText? @default = null, bool isRequired = false)
    {
        FlushLiteral();
        _parts.Add(new ShellPart(kind, cursor.Text.Part(start, end - start), isQuoted, name, @default, isRequired));
        cursor.At = end;
    }

    private void Take(bool isQuoted)
    {
        Append(cursor.Peek(), cursor.At, isQuoted);
        cursor.At++;
    }

    private void Append(char character, int at, bool isQuoted)
    {
        if (_literal.Length > 0 && _isLiteralQuoted != isQuoted) { FlushLiteral(); }
        _isLiteralQuoted = isQuoted;
        _literal.Append(character);
        _offsets.Add(cursor.Text.OffsetAt(at));
    }

    /// <summary>Empty quotes are a word too.</summary>
    private void MarkQuoted()
    {
        if (_literal.Length == 0 && (_parts.Count == 0 || !_parts[^1].IsQuoted))
        {
            _parts.Add(new ShellPart(ShellPartKind.Literal, new SourcedText("", cursor.Span(cursor.At, cursor.At), []), true));
        }
    }

    private void FlushLiteral()
    {
        if (_literal.Length == 0) { return; }
        int[] offsets = [.. _offsets];
        var span = cursor.Text.File.Span(offsets[0], Math.Max(1, offsets[^1] - offsets[0] + 1));
        _parts.Add(new ShellPart(ShellPartKind.Literal, new SourcedText(_literal.ToString(), span, offsets), _isLiteralQuoted));
        _literal.Clear();
        _offsets.Clear();
    }
}
