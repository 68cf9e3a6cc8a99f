using System.Collections.Frozen;
using System.Globalization;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>The filters that chat templates use.</summary>
internal static class Filters
{
    public static readonly FrozenSet<string> Known = FrozenSet.Create(StringComparer.Ordinal,
        "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "indent", "int", "items", "join", "last", "length", "list",
        "lower", "map", "reject", "rejectattr", "replace", "reverse", "safe", "select", "selectattr", "string", "title", "tojson", "trim",
        "unique", "upper");

    /// <exception cref="ChatTemplateException">The value or an argument is of a kind that the filter does not take.</exception>
    public static object? Run(
        string name, object? value, List<object?> arguments, Dictionary<string, object?> named, RenderBudget budget, int line)
    {
        object? Argument(int index, string key) => named.TryGetValue(key, out var given) ? given : arguments.ElementAtOrDefault(index);
        budget.Charge(value switch { string text => text.Length, List<object?> list => list.Count, _ => 0 }, line);
        switch (name)
        {
            case "default" or "d":
                var absent = value is Undefined || (JinjaValue.IsTrue(Argument(1, "boolean")) && !JinjaValue.IsTrue(value));
                return absent ? Argument(0, "default_value") ?? "" : value;
            case "length" or "count": return Length(value, line);
            case "string" or "safe": return JinjaValue.Print(value);
            case "tojson": return ToJson(value, Argument(0, "indent"), budget, line);
            case "int": return ToInteger(value);
            case "float": return value is string text ? (double.TryParse(text, CultureInfo.InvariantCulture, out var real) ? real : 0.0) : JinjaValue.ToDouble(value ?? 0L);
            case "abs": return value switch { long integer => (object)Math.Abs(integer), double number => Math.Abs(number), _ => throw Unfit(name, value, line) };
            case "items": return Items(value, line);
            case "dictsort": return Items(value, line).OrderBy(p => (string)((List<object?>)p!)[0]!, StringComparer.OrdinalIgnoreCase).ToList();
            case "join": return Join(value, JinjaValue.Print(Argument(0, "d") ?? ""), budget, line, Argument(1, "attribute") as string);
        }
        return name is "trim" or "upper" or "lower" or "title" or "capitalize" or "replace" or "indent"
            ? RunOnText(name, JinjaValue.Print(value), Argument, budget, line)
            : RunOnList(name, value, arguments, Argument, budget, line);
    }

    private static string RunOnText(string name, string text, Func<int, string, object?> argument, RenderBudget budget, int line) => name switch
    {
        "trim" => text.Trim((argument(0, "chars") as string)?.ToCharArray()),
        "upper" => text.ToUpperInvariant(),
        "lower" => text.ToLowerInvariant(),
        "title" => Members.Title(text),
        "capitalize" => Members.Capitalize(text),
        "replace" => Members.Replace(text, argument(0, "old") as string ?? "", argument(1, "new") as string ?? "", argument(2, "count") as long?, budget, line),
        _ => Indent(text, argument, budget, line),
    };

    private static object? RunOnList(
        string name, object? value, List<object?> arguments, Func<int, string, object?> argument, RenderBudget budget, int line)
    {
        var list = ToList(value, name, line);
        switch (name)
        {
            case "list": return list;
            case "first": return list.Count > 0 ? list[0] : new Undefined("the first of nothing");
            case "last": return list.Count > 0 ? list[^1] : new Undefined("the last of nothing");
            case "reverse": return value is string text ? string.Concat(text.Reverse()) : Enumerable.Reverse(list).ToList();
            case "unique":
                var seen = new List<object?>();
                foreach (var item in list)
                {
                    budget.Charge(seen.Count, line);
                    if (!seen.Exists(other => JinjaValue.AreEqual(other, item))) { seen.Add(item); }
                }
                return seen;
            case "map":
                return argument(-1, "attribute") is string attribute
                    ? list.ConvertAll(item => Members.GetItem(item, attribute, budget, line))
                    : list.ConvertAll(item => Run(KnownFilter(arguments, line), item, arguments.GetRange(1, arguments.Count - 1), [], budget, line));
            case "select" or "reject":
                return list.FindAll(item => Passes(item, arguments, 0, line) == (name == "select"));
            default:
                var member = argument(0, "attr") as string ?? throw new ChatTemplateException(line, $"\"{name}\" needs the name of an attribute.");
                return list.FindAll(item => Passes(Members.GetItem(item, member, budget, line), arguments, 1, line) == (name == "selectattr"));
        }
    }

    private static string KnownFilter(List<object?> arguments, int line) =>
        arguments.ElementAtOrDefault(0) is string name && Known.Contains(name) && name is not ("map" or "select" or "reject" or "selectattr" or "rejectattr")
            ? name
            : throw new ChatTemplateException(line, "\"map\" needs attribute=… or the name of a simple filter.");

    /// <summary>Without a test's name: truth.</summary>
    private static bool Passes(object? item, List<object?> arguments, int testAt, int line)
    {
        if (arguments.Count <= testAt) { return JinjaValue.IsTrue(item); }
        return arguments[testAt] is string test && Tests.Known.Contains(test)
            ? Tests.Run(test, item, arguments.GetRange(testAt + 1, arguments.Count - testAt - 1), line)
            : throw new ChatTemplateException(line, $"the test \"{JinjaValue.Print(arguments[testAt])}\" is unknown here.");
    }

    internal static string Join(object? value, string separator, RenderBudget budget, int line, string? attribute = null)
    {
        var list = ToList(value, "join", line);
        var parts = list.ConvertAll(item => JinjaValue.Print(attribute is null ? item : Members.GetItem(item, attribute, budget, line)));
        var length = parts.Sum(p => (long)p.Length + separator.Length);
        RenderBudget.CheckOutput((int)Math.Min(length, int.MaxValue), line);
        budget.Charge(length, line);
        return string.Join(separator, parts);
    }

    private static string ToJson(object? value, object? indent, RenderBudget budget, int line)
    {
        var json = JinjaValue.ToJson(value, indent is long width ? (int)Math.Clamp(width, 0, 16) : null, line);
        budget.Charge(json.Length, line);
        return json;
    }

    private static string Indent(string text, Func<int, string, object?> argument, RenderBudget budget, int line)
    {
        var blanks = argument(0, "width") switch { string given => given, long width => new string(' ', (int)Math.Clamp(width, 0, 256)), _ => "    " };
        var (first, blank) = (JinjaValue.IsTrue(argument(1, "first")), JinjaValue.IsTrue(argument(2, "blank")));
        var lines = text.Split('\n');
        budget.Charge((long)lines.Length * blanks.Length, line);
        return string.Join('\n', lines.Select((l, i) => (i == 0 ? first : blank || l.Length > 0) ? blanks + l : l));
    }

    private static long Length(object? value, int line) => value switch
    {
        string text => text.Length,
        List<object?> list => list.Count,
        OrderedDictionary<string, object?> map => map.Count,
        Undefined => 0,
        _ => throw Unfit("length", value, line),
    };

    private static long ToInteger(object? value) => value switch
    {
        bool flag => flag ? 1L : 0L,
        long integer => integer,
        double real when Math.Abs(real) < long.MaxValue => (long)real,
        string text when long.TryParse(text, CultureInfo.InvariantCulture, out var parsed) => parsed,
        _ => 0L,
    };

    private static List<object?> Items(object? value, int line) => value switch
    {
        OrderedDictionary<string, object?> map => map.Select(p => (object?)new List<object?> { p.Key, p.Value }).ToList(),
        Undefined => [],
        _ => throw Unfit("items", value, line),
    };

    /// <summary>What a loop or a list filter runs over: a list's items, a mapping's keys, a string's characters.</summary>
    internal static List<object?> ToList(object? value, string construct, int line) => value switch
    {
        List<object?> list => list,
        OrderedDictionary<string, object?> map => map.Keys.Select(k => (object?)k).ToList(),
        string text => text.Select(c => (object?)c.ToString()).ToList(),
        Undefined => [],
        _ => throw Unfit(construct, value, line),
    };

    private static ChatTemplateException Unfit(string construct, object? value, int line) =>
        new(line, $"\"{construct}\" cannot be applied to {JinjaValue.Kind(value)}.");
}
