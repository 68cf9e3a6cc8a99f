namespace Ferry.Engine.Chat.Jinja;

internal enum TokenKind
{
    /// <summary>Template text between tags.</summary>
    Text,
    BlockBegin,
    BlockEnd,
    OutputBegin,
    OutputEnd,
    Name,
    StringLiteral,
    Integer,
    Float,
    Symbol,
    End,
}

/// <param name="Text">Template text, name, symbol, number or the value of a string literal.</param>
/// <param name="Line">1-based.</param>
internal readonly record struct TemplateToken(TokenKind Kind, string Text, int Line);
