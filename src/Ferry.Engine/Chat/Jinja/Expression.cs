namespace Ferry.Engine.Chat.Jinja;

/// <summary>An expression of the template. The parser bounds how deep they nest.</summary>
/// <param name="Line">1-based line of the template.</param>
internal abstract record Expression(int Line)
{
    /// <summary>1 for a leaf.</summary>
    public int Depth { get; init; } = 1;

    internal sealed record Literal(int Line, object? Value) : Expression(Line);

    internal sealed record Variable(int Line, string Name) : Expression(Line);

    internal sealed record ListOf(int Line, IReadOnlyList<Expression> Items) : Expression(Line);

    internal sealed record MapOf(int Line, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Line);

    internal sealed record Attribute(int Line, Expression Of, string Name) : Expression(Line);

    internal sealed record Item(int Line, Expression Of, Expression Index) : Expression(Line);

    internal sealed record Slice(int Line, Expression Of, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line);

    internal sealed record Call(int Line, Expression Of, Arguments Arguments) : Expression(Line);

    internal sealed record Filter(int Line, Expression Of, string Name, Arguments Arguments) : Expression(Line);

    internal sealed record Test(int Line, Expression Of, string Name, IReadOnlyList<Expression> Arguments, bool Negated) : Expression(Line);

    internal sealed record Unary(int Line, string Operator, Expression Of) : Expression(Line);

    internal sealed record Binary(int Line, string Operator, Expression Left, Expression Right) : Expression(Line);

    /// <summary>Python's chain: <c>a &lt; b &lt; c</c>.</summary>
    internal sealed record Comparison(int Line, Expression First, IReadOnlyList<(string Operator, Expression Right)> Rest) : Expression(Line);

    internal sealed record Conditional(int Line, Expression Condition, Expression Then, Expression? Else) : Expression(Line);
}

internal sealed record Arguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named);
