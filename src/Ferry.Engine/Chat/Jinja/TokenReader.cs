namespace Ferry.Engine.Chat.Jinja;

/// <summary>A place in the list of tokens.</summary>
internal sealed class TokenReader(List<TemplateToken> tokens)
{
    private int _at;

    public TemplateToken Current => tokens[_at];

    public TemplateToken Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public int Line => Current.Line;

    public TemplateToken Take() => Current.Kind == TokenKind.End ? Current : tokens[_at++];

    public bool IsSymbol(string symbol) => Current.Kind == TokenKind.Symbol && Current.Text == symbol;

    public bool IsName(string name) => Current.Kind == TokenKind.Name && Current.Text == name;

    public bool TrySymbol(string symbol)
    {
        if (!IsSymbol(symbol)) { return false; }
        Take();
        return true;
    }

    public bool TryName(string name)
    {
        if (!IsName(name)) { return false; }
        Take();
        return true;
    }

    /// <exception cref="ChatTemplateException">Something else stands here.</exception>
    public void ExpectSymbol(string symbol, string construct)
    {
        if (!TrySymbol(symbol)) { throw Unexpected($"\"{symbol}\" {construct}"); }
    }

    /// <exception cref="ChatTemplateException">Something else stands here.</exception>
    public string ExpectName(string construct) =>
        Current.Kind == TokenKind.Name ? Take().Text : throw Unexpected($"a name {construct}");

    /// <exception cref="ChatTemplateException">Something else stands here.</exception>
    public void Expect(TokenKind kind, string construct)
    {
        if (Current.Kind != kind) { throw Unexpected(construct); }
        Take();
    }

    public ChatTemplateException Unexpected(string expected) => new(Line, $"found {Describe()}, expected {expected}.");

    private string Describe() => Current.Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "\"%}\"",
        TokenKind.OutputEnd => "\"}}\"",
        TokenKind.Text => "text",
        TokenKind.StringLiteral => "a string",
        _ => $"\"{Current.Text}\"",
    };
}
