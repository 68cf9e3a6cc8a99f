namespace Ferry.Engine.Chat.Jinja;

/// <summary>Parses statements. What Ferry does not run (include, import, extends, call…) is refused by name.</summary>
internal sealed class TemplateParser
{
    private const int MaxNesting = 30;
    private const int MaxParameters = 64;

    private readonly TokenReader _reader;
    private readonly ExpressionParser _expressions;
    private int _nesting;
    private int _loops;

    private TemplateParser(List<TemplateToken> tokens)
    {
        _reader = new TokenReader(tokens);
        _expressions = new ExpressionParser(_reader);
    }

    /// <exception cref="ChatTemplateException">No template, or outside the subset.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new TemplateParser(new TemplateLexer(source).Run());
        var body = parser.ParseBody([], "the template", 1);
        return body;
    }

    /// <summary>Statements up to a block that begins with one of <paramref name="ends"/>, whose name is left to be read.</summary>
    private List<Statement> ParseBody(string[] ends, string construct, int line)
    {
        if (++_nesting > MaxNesting) { throw new ChatTemplateException(line, $"{construct} nests deeper than {MaxNesting} levels."); }
        var body = new List<Statement>();
        while (true)
        {
            var token = _reader.Current;
            switch (token.Kind)
            {
                case TokenKind.Text:
                    body.Add(new Statement.Text(token.Line, _reader.Take().Text));
                    continue;
                case TokenKind.OutputBegin:
                    _reader.Take();
                    body.Add(new Statement.Output(token.Line, _expressions.Parse()));
                    _reader.Expect(TokenKind.OutputEnd, "\"}}\" behind the expression");
                    continue;
                case TokenKind.End when ends.Length == 0:
                    _nesting--;
                    return body;
                case TokenKind.End:
                    throw new ChatTemplateException(line, $"{construct} has no \"{{% {ends[^1]} %}}\".");
            }
            _reader.Take(); // "{%"
            if (ends.Any(_reader.IsName))
            {
                _nesting--;
                return body;
            }
            if (ParseStatement() is { } statement) { body.Add(statement); }
        }
    }

    private Statement? ParseStatement()
    {
        var line = _reader.Line;
        var name = _reader.ExpectName("behind \"{%\"");
        switch (name)
        {
            case "if": return ParseIf(line);
            case "for": return ParseFor(line);
            case "set": return ParseSet(line);
            case "macro": return ParseMacro(line);
            case "break" or "continue":
                if (_loops == 0) { throw new ChatTemplateException(line, $"\"{name}\" stands outside a loop."); }
                EndBlock(name);
                return name == "break" ? new Statement.Break(line) : new Statement.Continue(line);
            case "generation" or "endgeneration":
                EndBlock(name); // marks what training learns; renders as its content
                return null;
            default:
                throw new ChatTemplateException(line, $"the statement \"{name}\" is not supported here.");
        }
    }

    private void EndBlock(string name) => _reader.Expect(TokenKind.BlockEnd, $"\"%}}\" at the end of \"{name}\"");

    private Statement.If ParseIf(int line)
    {
        var branches = new List<(Expression?, IReadOnlyList<Statement>)>();
        var condition = _expressions.Parse();
        EndBlock("if");
        while (true)
        {
            branches.Add((condition, ParseBody(condition is null ? ["endif"] : ["elif", "else", "endif"], "\"if\"", line)));
            var end = _reader.Take().Text;
            condition = end == "elif" ? _expressions.Parse() : null;
            EndBlock(end);
            if (end == "endif") { return new Statement.If(line, branches); }
        }
    }

    private Statement.For ParseFor(int line)
    {
        var targets = new List<string> { _reader.ExpectName("behind \"for\"") };
        while (_reader.TrySymbol(",")) { targets.Add(_reader.ExpectName("behind \",\"")); }
        if (!_reader.TryName("in")) { throw _reader.Unexpected("\"in\" in \"for\""); }
        var of = _expressions.ParseWithoutConditional();
        var condition = _reader.TryName("if") ? _expressions.Parse() : null;
        EndBlock("for");
        _loops++;
        var body = ParseBody(["else", "endfor"], "\"for\"", line);
        _loops--;
        IReadOnlyList<Statement> otherwise = [];
        if (_reader.TryName("else"))
        {
            EndBlock("else");
            otherwise = ParseBody(["endfor"], "\"for\"", line);
        }
        _reader.Take();
        EndBlock("endfor");
        return new Statement.For(line, targets, of, condition, body, otherwise);
    }

    private Statement ParseSet(int line)
    {
        var name = _reader.ExpectName("behind \"set\"");
        var member = _reader.TrySymbol(".") ? _reader.ExpectName("behind \".\"") : null;
        if (_reader.TrySymbol("="))
        {
            var value = _expressions.Parse();
            EndBlock("set");
            return new Statement.Set(line, name, member, value);
        }
        if (member is not null) { throw _reader.Unexpected("\"=\" in \"set\""); }
        EndBlock("set");
        var body = ParseBody(["endset"], "\"set\"", line);
        _reader.Take();
        EndBlock("endset");
        return new Statement.SetBlock(line, name, body);
    }

    private Statement.Macro ParseMacro(int line)
    {
        var name = _reader.ExpectName("behind \"macro\"");
        var parameters = new List<(string, Expression?)>();
        _reader.ExpectSymbol("(", "behind the macro's name");
        while (!_reader.TrySymbol(")"))
        {
            var parameter = _reader.ExpectName("as a parameter");
            parameters.Add((parameter, _reader.TrySymbol("=") ? _expressions.Parse() : null));
            if (!_reader.IsSymbol(")")) { _reader.ExpectSymbol(",", "between parameters"); }
            if (parameters.Count > MaxParameters) { throw new ChatTemplateException(line, $"the macro \"{name}\" has more than {MaxParameters} parameters."); }
        }
        EndBlock("macro");
        var loops = _loops;
        _loops = 0; // a macro's body is no part of the loop around it
        var body = ParseBody(["endmacro"], "\"macro\"", line);
        _loops = loops;
        _reader.Take();
        EndBlock("endmacro");
        return new Statement.Macro(line, name, parameters, body);
    }
}
