using System.Globalization;
using System.Text;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>Cuts a template into text and tags, with the white-space rules that Hugging Face renders by (trim_blocks and lstrip_blocks on).</summary>
internal sealed class TemplateLexer(string source)
{
    private static readonly string[] TwoCharacterSymbols = ["==", "!=", "<=", ">=", "//"];
    private const string OneCharacterSymbols = "+-*/%~<>=()[]{}.,:|";

    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private int _line = 1;

    /// <exception cref="ChatTemplateException">A tag or string without an end, or a character that no expression has.</exception>
    public List<TemplateToken> Run()
    {
        var trimStart = TextTrim.None; // what the tag before does to the text behind it
        while (_at < source.Length)
        {
            var open = NextTag(_at);
            AddText(source[_at..open], trimStart, open);
            if (open == source.Length) { break; }
            AdvanceTo(open);
            trimStart = source[open + 1] switch
            {
                '#' => ReadComment(),
                '{' => ReadTag(TokenKind.OutputBegin, TokenKind.OutputEnd, "}}"),
                _ => ReadTag(TokenKind.BlockBegin, TokenKind.BlockEnd, "%}"),
            };
        }
        _tokens.Add(new TemplateToken(TokenKind.End, "", _line));
        return _tokens;
    }

    private enum TextTrim
    {
        None,

        /// <summary>One newline right behind the tag goes (trim_blocks).</summary>
        Newline,

        /// <summary>All white space behind the tag goes (-%}).</summary>
        All,
    }

    private int NextTag(int from)
    {
        for (var at = from; at + 1 < source.Length; at++)
        {
            at = source.IndexOf('{', at);
            if (at < 0 || at + 1 >= source.Length) { break; }
            if (source[at + 1] is '{' or '%' or '#') { return at; }
        }
        return source.Length;
    }

    private void AddText(string text, TextTrim trimStart, int open)
    {
        var line = _line;
        text = trimStart switch
        {
            TextTrim.All => text.TrimStart(),
            TextTrim.Newline when text.StartsWith('\n') => text[1..],
            TextTrim.Newline when text.StartsWith("\r\n", StringComparison.Ordinal) => text[2..],
            _ => text,
        };
        if (open + 2 < source.Length && source[open + 2] == '-')
        {
            text = text.TrimEnd();
        }
        else if (open + 1 < source.Length && source[open + 1] != '{' && !(open + 2 < source.Length && source[open + 2] == '+'))
        {
            // lstrip_blocks: blanks between the start of the line and a block or comment go.
            var kept = text.TrimEnd(' ', '\t');
            var atLineStart = kept.Length == 0 ? open == 0 || IsLineStart(open - text.Length) : kept[^1] == '\n';
            if (atLineStart) { text = kept; }
        }
        if (text.Length > 0) { _tokens.Add(new TemplateToken(TokenKind.Text, text, line)); }
    }

    private bool IsLineStart(int at) => at <= 0 || source[at - 1] == '\n';

    private TextTrim ReadComment()
    {
        var close = source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
        if (close < 0) { throw new ChatTemplateException(_line, "a comment \"{#\" has no end \"#}\"."); }
        var trim = source[close - 1] == '-' && close - 1 >= _at + 2 ? TextTrim.All : TextTrim.Newline;
        AdvanceTo(close + 2);
        return trim;
    }

    private TextTrim ReadTag(TokenKind begin, TokenKind end, string close)
    {
        var startLine = _line;
        _tokens.Add(new TemplateToken(begin, "", _line));
        AdvanceTo(_at + 2);
        if (_at < source.Length && source[_at] is '-' or '+') { _at++; }
        var braces = 0; // "}}" inside a dict literal does not end the tag
        while (true)
        {
            while (_at < source.Length && char.IsWhiteSpace(source[_at])) { AdvanceTo(_at + 1); }
            if (_at >= source.Length) { throw new ChatTemplateException(startLine, $"a tag has no end \"{close}\"."); }
            var dash = source[_at] is '-' or '+' && At(close, _at + 1);
            if (braces == 0 && (dash || At(close, _at)))
            {
                _tokens.Add(new TemplateToken(end, "", _line));
                var trim = dash && source[_at] == '-' ? TextTrim.All : end == TokenKind.BlockEnd && !dash ? TextTrim.Newline : TextTrim.None;
                AdvanceTo(_at + close.Length + (dash ? 1 : 0));
                return trim;
            }
            braces += source[_at] switch { '{' => 1, '}' => -1, _ => 0 };
            ReadToken();
        }
    }

    private bool At(string text, int at) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    private void ReadToken()
    {
        var first = source[_at];
        if (first is '"' or '\'') { ReadString(first); }
        else if (char.IsAsciiDigit(first)) { ReadNumber(); }
        else if (char.IsLetter(first) || first == '_')
        {
            var start = _at;
            while (_at < source.Length && (char.IsLetterOrDigit(source[_at]) || source[_at] == '_')) { _at++; }
            _tokens.Add(new TemplateToken(TokenKind.Name, source[start.._at], _line));
        }
        else if (Array.Find(TwoCharacterSymbols, symbol => At(symbol, _at)) is { } two) { AddSymbol(two); }
        else if (OneCharacterSymbols.Contains(first)) { AddSymbol(first.ToString()); }
        else { throw new ChatTemplateException(_line, $"the character '{first}' has no meaning in an expression."); }
    }

    private void AddSymbol(string symbol)
    {
        _tokens.Add(new TemplateToken(TokenKind.Symbol, symbol, _line));
        _at += symbol.Length;
    }

    private void ReadNumber()
    {
        var start = _at;
        while (_at < source.Length && (char.IsAsciiDigit(source[_at]) || source[_at] == '_')) { _at++; }
        var isFloat = _at + 1 < source.Length && source[_at] == '.' && char.IsAsciiDigit(source[_at + 1]);
        if (isFloat)
        {
            _at++;
            while (_at < source.Length && char.IsAsciiDigit(source[_at])) { _at++; }
        }
        var exponent = _at < source.Length && (source[_at] is 'e' or 'E') ? _at + 1 : source.Length;
        if (exponent < source.Length && (source[exponent] is '+' or '-')) { exponent++; }
        if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
        {
            isFloat = true;
            for (_at = exponent; _at < source.Length && char.IsAsciiDigit(source[_at]); _at++) { }
        }
        _tokens.Add(new TemplateToken(isFloat ? TokenKind.Float : TokenKind.Integer, source[start.._at].Replace("_", "", StringComparison.Ordinal), _line));
    }

    private void ReadString(char quote)
    {
        var startLine = _line;
        var text = new StringBuilder();
        for (_at++; _at < source.Length && source[_at] != quote; AdvanceTo(_at + 1))
        {
            if (source[_at] == '\\' && _at + 1 < source.Length) { ReadEscape(text); }
            else { text.Append(source[_at]); }
        }
        if (_at >= source.Length) { throw new ChatTemplateException(startLine, $"a string has no closing {quote}."); }
        _at++;
        _tokens.Add(new TemplateToken(TokenKind.StringLiteral, text.ToString(), startLine));
    }

    /// <summary>Leaves the place at the escape's last character.</summary>
    private void ReadEscape(StringBuilder text)
    {
        var escape = source[++_at];
        var digits = escape switch { 'x' => 2, 'u' => 4, _ => 0 };
        if (digits > 0)
        {
            if (_at + digits >= source.Length ||
                !int.TryParse(source.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                throw new ChatTemplateException(_line, $"the escape \\{escape} needs {digits} hexadecimal digits.");
            }
            text.Append((char)code);
            _at += digits;
            return;
        }
        switch (escape)
        {
            case 'n': text.Append('\n'); break;
            case 't': text.Append('\t'); break;
            case 'r': text.Append('\r'); break;
            case 'b': text.Append('\b'); break;
            case 'f': text.Append('\f'); break;
            case '0': text.Append('\0'); break;
            case '\n': break; // a continued line
            case '\\' or '\'' or '"': text.Append(escape); break;
            default: text.Append('\\').Append(escape); break; // as Python
        }
    }

    private void AdvanceTo(int at)
    {
        for (; _at < at; _at++)
        {
            if (source[_at] == '\n') { _line++; }
        }
    }
}
