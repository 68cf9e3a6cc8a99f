using System.Text;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>Runs a template's statements once.</summary>
internal sealed class Interpreter
{
    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    private readonly RenderBudget _budget = new();
    private readonly Evaluator _evaluator;
    private readonly Scope _globals;
    private StringBuilder _output = new();
    private int _callDepth;

    public Interpreter(DateTimeOffset now, IEnumerable<KeyValuePair<string, object?>> variables)
    {
        _evaluator = new Evaluator(_budget);
        var builtIn = new Scope(null);
        foreach (var function in Globals.All(now, _budget)) { builtIn.Set(function.Name, function); }
        _globals = new Scope(builtIn);
        foreach (var (name, value) in variables) { _globals.Set(name, value); }
    }

    /// <exception cref="ChatTemplateException">See <see cref="ChatTemplate.Render"/>.</exception>
    public string Run(IReadOnlyList<Statement> body)
    {
        RunAll(body, _globals);
        return _output.ToString();
    }

    private Flow RunAll(IReadOnlyList<Statement> body, Scope scope)
    {
        foreach (var statement in body)
        {
            _budget.Charge(0, statement.Line);
            var flow = RunOne(statement, scope);
            if (flow != Flow.Next) { return flow; }
        }
        return Flow.Next;
    }

    private Flow RunOne(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case Statement.Text text:
                Write(text.Value, text.Line);
                return Flow.Next;
            case Statement.Output output:
                Write(JinjaValue.Print(_evaluator.Evaluate(output.Value, scope)), output.Line);
                return Flow.Next;
            case Statement.If choice: return RunIf(choice, scope);
            case Statement.For loop:
                RunFor(loop, scope);
                return Flow.Next;
            case Statement.Set set:
                RunSet(set, scope);
                return Flow.Next;
            case Statement.SetBlock set:
                scope.Set(set.Name, Capture(set.Body, scope));
                return Flow.Next;
            case Statement.Macro macro:
                scope.Set(macro.Name, new Callable(macro.Name, (positional, named, line) => RunMacro(macro, positional, named, line, scope)));
                return Flow.Next;
            case Statement.Break: return Flow.Break;
            case Statement.Continue: return Flow.Continue;
            default: throw new ChatTemplateException(statement.Line, "a statement of this kind is not supported.");
        }
    }

    private void Write(string text, int line)
    {
        _budget.Charge(text.Length, line);
        RenderBudget.CheckOutput(_output.Length + text.Length, line);
        _output.Append(text);
    }

    private Flow RunIf(Statement.If choice, Scope scope)
    {
        foreach (var (condition, body) in choice.Branches)
        {
            if (condition is null || JinjaValue.IsTrue(_evaluator.Evaluate(condition, scope))) { return RunAll(body, scope); }
        }
        return Flow.Next;
    }

    private void RunSet(Statement.Set set, Scope scope)
    {
        var value = _evaluator.Evaluate(set.Value, scope);
        if (set.Member is null) { scope.Set(set.Name, value); }
        else if (scope.Get(set.Name) is Namespace space) { space.Members[set.Member] = value; }
        else { throw new ChatTemplateException(set.Line, $"\"set {set.Name}.{set.Member}\": \"{set.Name}\" is no namespace."); }
    }

    private void RunFor(Statement.For loop, Scope scope)
    {
        var items = Filters.ToList(_evaluator.Evaluate(loop.Of, scope), "for", loop.Line);
        _budget.Charge(items.Count, loop.Line);
        if (loop.Condition is { } condition)
        {
            items = items.FindAll(item =>
            {
                _budget.Charge(0, loop.Line);
                var trial = new Scope(scope);
                Bind(loop, item, trial);
                return JinjaValue.IsTrue(_evaluator.Evaluate(condition, trial));
            });
        }
        for (var index = 0; index < items.Count; index++)
        {
            _budget.Charge(0, loop.Line);
            var body = new Scope(scope);
            Bind(loop, items[index], body);
            body.Set("loop", LoopVariable(items, index));
            if (RunAll(loop.Body, body) == Flow.Break) { return; }
        }
        if (items.Count == 0) { RunAll(loop.Else, scope); }
    }

    private static void Bind(Statement.For loop, object? item, Scope scope)
    {
        if (loop.Targets.Count == 1)
        {
            scope.Set(loop.Targets[0], item);
            return;
        }
        if (item is not List<object?> parts || parts.Count != loop.Targets.Count)
        {
            throw new ChatTemplateException(loop.Line, $"\"for\" has {loop.Targets.Count} names, but an item is {JinjaValue.Kind(item)}.");
        }
        for (var i = 0; i < parts.Count; i++) { scope.Set(loop.Targets[i], parts[i]); }
    }

    private static OrderedDictionary<string, object?> LoopVariable(List<object?> items, int index) => new(9)
    {
        ["index"] = index + 1L,
        ["index0"] = (long)index,
        ["first"] = index == 0,
        ["last"] = index == items.Count - 1,
        ["length"] = (long)items.Count,
        ["revindex"] = (long)(items.Count - index),
        ["revindex0"] = items.Count - index - 1L,
        ["previtem"] = index > 0 ? items[index - 1] : new Undefined("loop.previtem"),
        ["nextitem"] = index + 1 < items.Count ? items[index + 1] : new Undefined("loop.nextitem"),
    };

    private string Capture(IReadOnlyList<Statement> body, Scope scope)
    {
        var outer = _output;
        _output = new StringBuilder();
        try
        {
            RunAll(body, scope);
            return _output.ToString();
        }
        finally
        {
            _output = outer;
        }
    }

    private string RunMacro(Statement.Macro macro, List<object?> positional, Dictionary<string, object?> named, int line, Scope definedIn)
    {
        if (positional.Count > macro.Parameters.Count)
        {
            throw new ChatTemplateException(line, $"the macro \"{macro.Name}\" takes {macro.Parameters.Count} arguments, not {positional.Count}.");
        }
        if (named.Keys.FirstOrDefault(name => macro.Parameters.All(p => p.Name != name)) is { } unknown)
        {
            throw new ChatTemplateException(line, $"the macro \"{macro.Name}\" has no parameter \"{unknown}\".");
        }
        if (++_callDepth > RenderBudget.MaxCallDepth)
        {
            throw new ChatTemplateException(line, $"macros call each other deeper than {RenderBudget.MaxCallDepth} levels.");
        }
        var scope = new Scope(definedIn);
        for (var i = 0; i < macro.Parameters.Count; i++)
        {
            var (name, fallback) = macro.Parameters[i];
            scope.Set(name, i < positional.Count ? positional[i]
                : named.TryGetValue(name, out var given) ? given
                : fallback is null ? new Undefined(name) : _evaluator.Evaluate(fallback, scope));
        }
        var text = Capture(macro.Body, scope);
        _callDepth--;
        return text;
    }
}
