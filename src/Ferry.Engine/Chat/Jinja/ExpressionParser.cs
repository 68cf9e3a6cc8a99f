using System.Globalization;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>Parses expressions, with Jinja's precedence: conditional, or, and, not, comparison, + -, ~, * / // %, unary, postfix and filters.</summary>
internal sealed class ExpressionParser(TokenReader reader)
{
    // Rendering recurses once a level. Templates that models ship stay below 20.
    private const int MaxDepth = 80;

    // Words that end an operand of "is" rather than being its argument.
    private static readonly string[] AfterTest = ["else", "or", "and", "is", "if", "not", "in"];

    private int _nesting;

    /// <exception cref="ChatTemplateException">No expression stands here, or it nests too deep.</exception>
    public Expression Parse() => Nested(ParseConditional);

    /// <summary>Without <c>a if b else c</c>: what <c>for … in</c> loops over.</summary>
    public Expression ParseWithoutConditional() => Nested(ParseOr);

    private Expression Nested(Func<Expression> parse)
    {
        if (++_nesting > MaxDepth) { throw TooDeep(reader.Line); }
        var parsed = parse();
        _nesting--;
        return parsed;
    }

    private static ChatTemplateException TooDeep(int line) => new(line, $"an expression nests deeper than {MaxDepth} levels.");

    /// <summary>Gives a node the depth that its parts make.</summary>
    private static Expression Over(Expression node, params ReadOnlySpan<Expression?> parts)
    {
        var depth = 0;
        foreach (var part in parts) { depth = Math.Max(depth, part?.Depth ?? 0); }
        return depth < MaxDepth ? node with { Depth = depth + 1 } : throw TooDeep(node.Line);
    }

    private Expression ParseConditional()
    {
        var value = ParseOr();
        while (reader.IsName("if"))
        {
            var line = reader.Take().Line;
            var condition = ParseOr();
            var otherwise = reader.TryName("else") ? Nested(ParseConditional) : null;
            value = Over(new Expression.Conditional(line, condition, value, otherwise), condition, value, otherwise);
        }
        return value;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (reader.IsName("or")) { left = Combine(left, ParseAnd); }
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (reader.IsName("and")) { left = Combine(left, ParseNot); }
        return left;
    }

    private Expression ParseNot()
    {
        if (!reader.IsName("not")) { return ParseComparison(); }
        var line = reader.Take().Line;
        var of = Nested(ParseNot);
        return Over(new Expression.Unary(line, "not", of), of);
    }

    private Expression ParseComparison()
    {
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        var parts = new List<Expression?> { first };
        while (true)
        {
            string operation;
            if (reader.Current.Kind == TokenKind.Symbol && reader.Current.Text is "==" or "!=" or "<" or ">" or "<=" or ">=") { operation = reader.Take().Text; }
            else if (reader.TryName("in")) { operation = "in"; }
            else if (reader.IsName("not") && reader.Next is { Kind: TokenKind.Name, Text: "in" })
            {
                reader.Take();
                reader.Take();
                operation = "not in";
            }
            else { break; }
            rest.Add((operation, ParseSum()));
            parts.Add(rest[^1].Item2);
        }
        return rest.Count == 0 ? first : Over(new Expression.Comparison(first.Line, first, rest), [.. parts]);
    }

    private Expression ParseSum()
    {
        var left = ParseConcatenation();
        while (reader.IsSymbol("+") || reader.IsSymbol("-")) { left = Combine(left, ParseConcatenation); }
        return left;
    }

    private Expression ParseConcatenation()
    {
        var left = ParseProduct();
        while (reader.IsSymbol("~")) { left = Combine(left, ParseProduct); }
        return left;
    }

    private Expression ParseProduct()
    {
        var left = ParseUnary();
        while (reader.IsSymbol("*") || reader.IsSymbol("/") || reader.IsSymbol("//") || reader.IsSymbol("%")) { left = Combine(left, ParseUnary); }
        return left;
    }

    private Expression Combine(Expression left, Func<Expression> parseRight)
    {
        var operation = reader.Take();
        var right = parseRight();
        return Over(new Expression.Binary(operation.Line, operation.Text, left, right), left, right);
    }

    private Expression ParseUnary()
    {
        if (reader.IsSymbol("-") || reader.IsSymbol("+"))
        {
            var operation = reader.Take();
            var of = Nested(ParseUnary);
            return Over(new Expression.Unary(operation.Line, operation.Text, of), of);
        }
        return ParseFilters(ParsePostfix(ParsePrimary()));
    }

    private Expression ParsePostfix(Expression of)
    {
        while (true)
        {
            var line = reader.Line;
            if (reader.TrySymbol("."))
            {
                of = reader.Current.Kind == TokenKind.Integer
                    ? Over(new Expression.Item(line, of, ParsePrimary()), of)
                    : Over(new Expression.Attribute(line, of, reader.ExpectName("behind \".\"")), of);
            }
            else if (reader.TrySymbol("[")) { of = ParseSubscript(of, line); }
            else if (reader.IsSymbol("("))
            {
                var arguments = ParseArguments();
                of = Over(new Expression.Call(line, of, arguments), [of, .. arguments.Positional, .. arguments.Named.Select(n => n.Value)]);
            }
            else { return of; }
        }
    }

    private Expression ParseFilters(Expression of)
    {
        while (true)
        {
            var line = reader.Line;
            if (reader.TrySymbol("|"))
            {
                var name = reader.ExpectName("behind \"|\"");
                if (!Filters.Known.Contains(name)) { throw new ChatTemplateException(line, $"the filter \"{name}\" is unknown here."); }
                var arguments = reader.IsSymbol("(") ? ParseArguments() : new Arguments([], []);
                of = Over(new Expression.Filter(line, of, name, arguments), [of, .. arguments.Positional, .. arguments.Named.Select(n => n.Value)]);
                of = ParsePostfix(of);
            }
            else if (reader.TryName("is")) { of = ParseTest(of, line); }
            else { return of; }
        }
    }

    private Expression ParseTest(Expression of, int line)
    {
        var negated = reader.TryName("not");
        var name = reader.ExpectName("behind \"is\"");
        if (!Tests.Known.Contains(name)) { throw new ChatTemplateException(line, $"the test \"is {name}\" is unknown here."); }
        List<Expression> arguments = [];
        if (reader.IsSymbol("(")) { arguments = [.. ParseArguments().Positional]; }
        else if (reader.Current.Kind is TokenKind.StringLiteral or TokenKind.Integer or TokenKind.Float || reader.IsSymbol("[") ||
            (reader.Current.Kind == TokenKind.Name && !AfterTest.Contains(reader.Current.Text)))
        {
            arguments = [ParsePostfix(ParsePrimary())];
        }
        return Over(new Expression.Test(line, of, name, arguments, negated), [of, .. arguments]);
    }

    private Expression ParseSubscript(Expression of, int line)
    {
        var start = reader.IsSymbol(":") ? null : Parse();
        if (start is not null && reader.TrySymbol("]")) { return Over(new Expression.Item(line, of, start), of, start); }
        reader.ExpectSymbol(":", "in a slice");
        var stop = reader.IsSymbol("]") || reader.IsSymbol(":") ? null : Parse();
        var step = reader.TrySymbol(":") && !reader.IsSymbol("]") ? Parse() : null;
        reader.ExpectSymbol("]", "at the end of a slice");
        return Over(new Expression.Slice(line, of, start, stop, step), of, start, stop, step);
    }

    private Arguments ParseArguments()
    {
        reader.ExpectSymbol("(", "before arguments");
        var (positional, named) = (new List<Expression>(), new List<(string, Expression)>());
        while (!reader.TrySymbol(")"))
        {
            if (reader.Current.Kind == TokenKind.Name && reader.Next is { Kind: TokenKind.Symbol, Text: "=" })
            {
                var name = reader.Take().Text;
                reader.Take();
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(Parse());
            }
            if (!reader.IsSymbol(")")) { reader.ExpectSymbol(",", "between arguments"); }
        }
        return new Arguments(positional, named);
    }

    private Expression ParsePrimary()
    {
        var token = reader.Current;
        switch (token.Kind)
        {
            case TokenKind.StringLiteral:
                var text = reader.Take().Text;
                while (reader.Current.Kind == TokenKind.StringLiteral) { text += reader.Take().Text; } // Python joins neighbours
                return new Expression.Literal(token.Line, text);
            case TokenKind.Integer when long.TryParse(token.Text, CultureInfo.InvariantCulture, out var integer):
                reader.Take();
                return new Expression.Literal(token.Line, integer);
            case TokenKind.Float:
                reader.Take();
                return new Expression.Literal(token.Line, double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TokenKind.Name:
                reader.Take();
                return token.Text switch
                {
                    "true" or "True" => new Expression.Literal(token.Line, true),
                    "false" or "False" => new Expression.Literal(token.Line, false),
                    "none" or "None" => new Expression.Literal(token.Line, null),
                    _ => new Expression.Variable(token.Line, token.Text),
                };
            case TokenKind.Symbol when token.Text == "(": return ParseParenthesis();
            case TokenKind.Symbol when token.Text == "[":
                reader.Take();
                return ListNode(token.Line, "]");
            case TokenKind.Symbol when token.Text == "{": return ParseMap();
            default: throw reader.Unexpected("a value");
        }
    }

    /// <summary>Parentheses, or a tuple, which acts as a list.</summary>
    private Expression ParseParenthesis()
    {
        var line = reader.Take().Line;
        if (reader.TrySymbol(")")) { return new Expression.ListOf(line, []); }
        var first = Parse();
        if (reader.TrySymbol(")")) { return first; }
        reader.ExpectSymbol(",", "in a tuple");
        var rest = (Expression.ListOf)ListNode(line, ")");
        return Over(new Expression.ListOf(line, [first, .. rest.Items]), first, rest);
    }

    private Expression ListNode(int line, string close)
    {
        var items = new List<Expression>();
        while (!reader.TrySymbol(close))
        {
            items.Add(Parse());
            if (!reader.IsSymbol(close)) { reader.ExpectSymbol(",", "between items"); }
        }
        return Over(new Expression.ListOf(line, items), [.. items]);
    }

    private Expression ParseMap()
    {
        var line = reader.Take().Line;
        var items = new List<(Expression Key, Expression Value)>();
        while (!reader.TrySymbol("}"))
        {
            var key = Parse();
            reader.ExpectSymbol(":", "behind a key");
            items.Add((key, Parse()));
            if (!reader.IsSymbol("}")) { reader.ExpectSymbol(",", "between items"); }
        }
        return Over(new Expression.MapOf(line, items), [.. items.Select(i => i.Key), .. items.Select(i => i.Value)]);
    }
}
