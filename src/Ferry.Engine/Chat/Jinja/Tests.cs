using System.Collections.Frozen;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>What may stand behind <c>is</c>.</summary>
internal static class Tests
{
    public static readonly FrozenSet<string> Known = FrozenSet.Create(StringComparer.Ordinal,
        "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "gt", "in", "integer", "iterable", "le", "lt",
        "mapping", "ne", "none", "number", "odd", "sequence", "string", "true", "undefined");

    /// <exception cref="ChatTemplateException">The value or an argument is of a kind that the test does not take.</exception>
    public static bool Run(string name, object? value, List<object?> arguments, int line)
    {
        object? Argument() => arguments.Count == 1 ? arguments[0] : throw new ChatTemplateException(line, $"the test \"is {name}\" needs one argument.");
        long Integer(object? of) => of is long integer ? integer : throw new ChatTemplateException(line, $"\"is {name}\" cannot be asked of {JinjaValue.Kind(of)}.");
        int Order() => JinjaValue.Compare(value, Argument()) ?? throw new ChatTemplateException(line, $"\"is {name}\" cannot compare {JinjaValue.Kind(value)}.");
        return name switch
        {
            "defined" => value is not Undefined,
            "undefined" => value is Undefined,
            "none" => value is null,
            "string" => value is string,
            "boolean" => value is bool,
            "true" => value is true,
            "false" => value is false,
            "integer" => value is long,
            "float" => value is double,
            "number" => value is long or double or bool,
            "mapping" => value is OrderedDictionary<string, object?>,
            "iterable" or "sequence" => value is string or List<object?> or OrderedDictionary<string, object?>,
            "odd" => Integer(value) % 2 != 0,
            "even" => Integer(value) % 2 == 0,
            "divisibleby" => Integer(Argument()) is var divisor and not 0 ? Integer(value) % divisor == 0 : throw new ChatTemplateException(line, "\"is divisibleby\" 0."),
            "eq" or "equalto" => JinjaValue.AreEqual(value, Argument()),
            "ne" => !JinjaValue.AreEqual(value, Argument()),
            "lt" => Order() < 0,
            "le" => Order() <= 0,
            "gt" => Order() > 0,
            "ge" => Order() >= 0,
            _ => Members.Contains(Argument(), value, new RenderBudget(), line),
        };
    }
}
