namespace Ferry.Engine.Chat.Jinja;

/// <summary>Computes expressions. There is no way from here to anything but the values given to the template.</summary>
internal sealed class Evaluator(RenderBudget budget)
{
    /// <exception cref="ChatTemplateException">Something undefined was used, kinds do not fit, or a bound was reached.</exception>
    public object? Evaluate(Expression expression, Scope scope)
    {
        budget.Charge(0, expression.Line);
        return expression switch
        {
            Expression.Literal literal => literal.Value,
            Expression.Variable variable => scope.Get(variable.Name),
            Expression.ListOf list => EvaluateAll(list.Items, scope),
            Expression.MapOf map => EvaluateMap(map, scope),
            Expression.Attribute attribute => Members.GetAttribute(Evaluate(attribute.Of, scope), attribute.Name, budget, attribute.Line),
            Expression.Item item => Members.GetItem(Evaluate(item.Of, scope), Evaluate(item.Index, scope), budget, item.Line),
            Expression.Slice slice => EvaluateSlice(slice, scope),
            Expression.Call call => EvaluateCall(call, scope),
            Expression.Filter filter => EvaluateFilter(filter, scope),
            Expression.Test test => Tests.Run(test.Name, Evaluate(test.Of, scope), EvaluateAll(test.Arguments, scope), test.Line) != test.Negated,
            Expression.Unary unary => EvaluateUnary(unary, scope),
            Expression.Binary binary => EvaluateBinary(binary, scope),
            Expression.Comparison comparison => EvaluateComparison(comparison, scope),
            Expression.Conditional conditional => EvaluateConditional(conditional, scope),
            _ => throw new ChatTemplateException(expression.Line, "an expression of this kind is not supported."),
        };
    }

    private List<object?> EvaluateAll(IReadOnlyList<Expression> expressions, Scope scope)
    {
        var values = new List<object?>(expressions.Count);
        foreach (var expression in expressions) { values.Add(Evaluate(expression, scope)); }
        return values;
    }

    private Dictionary<string, object?> EvaluateNamed(Arguments arguments, Scope scope)
    {
        var named = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.Named) { named[name] = Evaluate(value, scope); }
        return named;
    }

    private OrderedDictionary<string, object?> EvaluateMap(Expression.MapOf map, Scope scope)
    {
        var result = new OrderedDictionary<string, object?>(map.Items.Count);
        foreach (var (key, value) in map.Items)
        {
            result[Evaluate(key, scope) as string ?? throw new ChatTemplateException(key.Line, "a key of a mapping must be a string.")] =
                Evaluate(value, scope);
        }
        return result;
    }

    private object? EvaluateConditional(Expression.Conditional conditional, Scope scope)
    {
        if (JinjaValue.IsTrue(Evaluate(conditional.Condition, scope))) { return Evaluate(conditional.Then, scope); }
        return conditional.Else is null ? new Undefined("the missing else") : Evaluate(conditional.Else, scope);
    }

    private object? EvaluateSlice(Expression.Slice slice, Scope scope)
    {
        var of = Evaluate(slice.Of, scope);
        long? Bound(Expression? bound) => bound is null ? null : Evaluate(bound, scope) switch
        {
            null => null,
            long integer => integer,
            var other => throw new ChatTemplateException(slice.Line, $"a slice's bound is {JinjaValue.Kind(other)}, not an integer."),
        };
        return Members.Slice(of, Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step), budget, slice.Line);
    }

    private object? EvaluateCall(Expression.Call call, Scope scope)
    {
        var of = Evaluate(call.Of, scope);
        return of is Callable callable
            ? callable.Run(EvaluateAll(call.Arguments.Positional, scope), EvaluateNamed(call.Arguments, scope), call.Line)
            : throw new ChatTemplateException(call.Line, $"{JinjaValue.Kind(of)} was called; only functions can be.");
    }

    private object? EvaluateFilter(Expression.Filter filter, Scope scope) => Filters.Run(
        filter.Name, Evaluate(filter.Of, scope), EvaluateAll(filter.Arguments.Positional, scope), EvaluateNamed(filter.Arguments, scope), budget, filter.Line);

    private object? EvaluateUnary(Expression.Unary unary, Scope scope)
    {
        var of = Evaluate(unary.Of, scope);
        return (unary.Operator, of) switch
        {
            ("not", _) => !JinjaValue.IsTrue(of),
            ("-", long integer) => unchecked(-integer),
            ("-", double real) => -real,
            ("+", long or double) => of,
            _ => throw new ChatTemplateException(unary.Line, $"\"{unary.Operator}\" cannot be applied to {JinjaValue.Kind(of)}."),
        };
    }

    private object? EvaluateBinary(Expression.Binary binary, Scope scope)
    {
        var left = Evaluate(binary.Left, scope);
        switch (binary.Operator)
        {
            case "and": return JinjaValue.IsTrue(left) ? Evaluate(binary.Right, scope) : left;
            case "or": return JinjaValue.IsTrue(left) ? left : Evaluate(binary.Right, scope);
        }
        var right = Evaluate(binary.Right, scope);
        return (binary.Operator, left, right) switch
        {
            ("~", _, _) => Join(JinjaValue.Print(left), JinjaValue.Print(right), binary.Line),
            ("+", string a, string b) => Join(a, b, binary.Line),
            ("+", List<object?> a, List<object?> b) => JoinLists(a, b, binary.Line),
            ("*", string text, long times) => Repeat(text, times, binary.Line),
            (_, bool or long or double, bool or long or double) => Compute(binary, left!, right!),
            _ => throw new ChatTemplateException(binary.Line,
                $"\"{binary.Operator}\" cannot be applied to {JinjaValue.Kind(left)} and {JinjaValue.Kind(right)}."),
        };
    }

    private string Join(string left, string right, int line)
    {
        budget.Charge(left.Length + right.Length, line);
        RenderBudget.CheckOutput(left.Length + right.Length, line);
        return left + right;
    }

    private List<object?> JoinLists(List<object?> left, List<object?> right, int line)
    {
        budget.Charge(left.Count + right.Count, line);
        return [.. left, .. right];
    }

    private string Repeat(string text, long times, int line)
    {
        times = text.Length == 0 ? 0 : Math.Clamp(times, 0, int.MaxValue);
        RenderBudget.CheckOutput((int)Math.Min(int.MaxValue, times * text.Length), line);
        budget.Charge(times * text.Length, line);
        return string.Concat(Enumerable.Repeat(text, (int)times));
    }

    private static object Compute(Expression.Binary binary, object left, object right)
    {
        var (a, b) = (JinjaValue.ToDouble(left), JinjaValue.ToDouble(right));
        if (b == 0 && binary.Operator is "/" or "//" or "%" && b == 0) { throw new ChatTemplateException(binary.Line, $"\"{binary.Operator}\" by zero."); }
        if (binary.Operator == "/") { return a / b; }
        if (left is double || right is double)
        {
            return binary.Operator switch
            {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "//" => Math.Floor(a / b),
                _ => a - (Math.Floor(a / b) * b),
            };
        }
        var (m, n) = ((long)a, (long)b);
        try
        {
            return checked(binary.Operator switch
            {
                "+" => m + n,
                "-" => m - n,
                "*" => m * n,
                "//" => FloorDivide(m, n),
                _ => m - (FloorDivide(m, n) * n),
            });
        }
        catch (OverflowException)
        {
            throw new ChatTemplateException(binary.Line, $"\"{binary.Operator}\" gives a number beyond 64 bits.");
        }
    }

    private static long FloorDivide(long m, long n) => checked(m / n) - (m % n != 0 && (m < 0) != (n < 0) ? 1 : 0);

    private bool EvaluateComparison(Expression.Comparison comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (operation, rightExpression) in comparison.Rest)
        {
            var right = Evaluate(rightExpression, scope);
            if (!Compares(operation, left, right, comparison.Line)) { return false; }
            left = right;
        }
        return true;
    }

    private bool Compares(string operation, object? left, object? right, int line)
    {
        switch (operation)
        {
            case "==": return JinjaValue.AreEqual(left, right);
            case "!=": return !JinjaValue.AreEqual(left, right);
            case "in": return Members.Contains(right, left, budget, line);
            case "not in": return !Members.Contains(right, left, budget, line);
        }
        var order = JinjaValue.Compare(left, right) ??
            throw new ChatTemplateException(line, $"\"{operation}\" cannot compare {JinjaValue.Kind(left)} with {JinjaValue.Kind(right)}.");
        return operation switch { "<" => order < 0, ">" => order > 0, "<=" => order <= 0, _ => order >= 0 };
    }
}
