namespace Ferry.Engine.Chat.Jinja;

/// <summary>A statement of the template.</summary>
/// <param name="Line">1-based line of the template.</param>
internal abstract record Statement(int Line)
{
    internal sealed record Text(int Line, string Value) : Statement(Line);

    internal sealed record Output(int Line, Expression Value) : Statement(Line);

    internal sealed record If(int Line, IReadOnlyList<(Expression? Condition, IReadOnlyList<Statement> Body)> Branches) : Statement(Line);

    internal sealed record For(
        int Line, IReadOnlyList<string> Targets, Expression Of, Expression? Condition,
        IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else) : Statement(Line);

    /// <param name="Member">Null, or the member of the namespace <paramref name="Name"/> that is set.</param>
    internal sealed record Set(int Line, string Name, string? Member, Expression Value) : Statement(Line);

    internal sealed record SetBlock(int Line, string Name, IReadOnlyList<Statement> Body) : Statement(Line);

    internal sealed record Macro(
        int Line, string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body) : Statement(Line);

    internal sealed record Break(int Line) : Statement(Line);

    internal sealed record Continue(int Line) : Statement(Line);
}
