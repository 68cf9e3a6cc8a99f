using System.Globalization;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>Attributes, items and methods of values: a closed list, none of which changes a value.</summary>
internal static class Members
{
    public static object? GetAttribute(object? of, string name, RenderBudget budget, int line) => of switch
    {
        Undefined undefined => throw new ChatTemplateException(line, $"\"{undefined.Name}\" is undefined, so \".{name}\" cannot be read."),
        Namespace space => space.Members.TryGetValue(name, out var member) ? member : new Undefined(name),
        OrderedDictionary<string, object?> map => MapMethod(map, name) is { } method ? method : map.TryGetValue(name, out var value) ? value : new Undefined(name),
        string text => TextMethod(text, name, budget),
        _ => new Undefined(name),
    };

    public static object? GetItem(object? of, object? index, RenderBudget budget, int line)
    {
        switch (of)
        {
            case Undefined undefined:
                throw new ChatTemplateException(line, $"\"{undefined.Name}\" is undefined, so nothing in it can be read.");
            case List<object?> list when index is long at:
                return Position(at, list.Count) is { } position ? list[position] : new Undefined($"[{at}]");
            case string text when index is long at:
                return Position(at, text.Length) is { } character ? text[character].ToString() : new Undefined($"[{at}]");
            case OrderedDictionary<string, object?> map when index is string key:
                return map.TryGetValue(key, out var value) ? value : MapMethod(map, key) is { } method ? method : new Undefined(key);
            default:
                return index is string name ? GetAttribute(of, name, budget, line) : new Undefined(JinjaValue.Print(index));
        }
    }

    private static int? Position(long at, int count)
    {
        var position = at < 0 ? at + count : at;
        return position >= 0 && position < count ? (int)position : null;
    }

    /// <summary>Python's slice of a list or string.</summary>
    public static object Slice(object? of, long? start, long? stop, long? step, RenderBudget budget, int line)
    {
        var count = of switch
        {
            List<object?> list => list.Count,
            string text => text.Length,
            _ => throw new ChatTemplateException(line, $"{JinjaValue.Kind(of)} cannot be sliced."),
        };
        var stride = step ?? 1;
        if (stride == 0) { throw new ChatTemplateException(line, "a slice's step is 0."); }
        budget.Charge(count, line);
        var (lowest, highest) = stride > 0 ? (0L, count) : (-1L, count - 1L);
        long Clamp(long? bound, long absent) => bound is not { } b ? absent : Math.Clamp(b < 0 ? b + count : b, lowest, highest);
        var (from, to) = (Clamp(start, stride > 0 ? lowest : highest), Clamp(stop, stride > 0 ? highest : lowest));
        var indices = new List<int>();
        // A stride beyond the list takes one step; held down so that the sum cannot overflow.
        stride = Math.Clamp(stride, -count - 1L, count + 1L);
        for (var at = from; stride > 0 ? at < to : at > to; at += stride) { indices.Add((int)at); }
        return of is string s ? string.Concat(indices.Select(i => s[i])) : indices.ConvertAll(i => ((List<object?>)of!)[i]);
    }

    public static bool Contains(object? container, object? value, RenderBudget budget, int line)
    {
        switch (container)
        {
            case string text when value is string part:
                budget.Charge(text.Length, line);
                return text.Contains(part, StringComparison.Ordinal);
            case List<object?> list:
                budget.Charge(list.Count, line);
                return list.Exists(item => JinjaValue.AreEqual(item, value));
            case OrderedDictionary<string, object?> map: return value is string key && map.ContainsKey(key);
            default:
                throw new ChatTemplateException(line, $"\"in\" cannot look for {JinjaValue.Kind(value)} in {JinjaValue.Kind(container)}.");
        }
    }

    private static Callable? MapMethod(OrderedDictionary<string, object?> map, string name) => name switch
    {
        "items" => new Callable(name, (_, _, _) => map.Select(p => (object?)new List<object?> { p.Key, p.Value }).ToList()),
        "keys" => new Callable(name, (_, _, _) => map.Keys.Select(k => (object?)k).ToList()),
        "values" => new Callable(name, (_, _, _) => map.Values.ToList()),
        "get" => new Callable(name, (arguments, _, line) =>
            map.TryGetValue(TextAt(arguments, 0, "get", line), out var value) ? value : arguments.ElementAtOrDefault(1)),
        _ => null,
    };

    private static object TextMethod(string text, string name, RenderBudget budget)
    {
        Callable Method(Func<List<object?>, int, object?> run) => new(name, (arguments, _, line) =>
        {
            budget.Charge(text.Length, line);
            return run(arguments, line);
        });
        return name switch
        {
            "strip" => Method((a, line) => text.Trim(Characters(a, line))),
            "lstrip" => Method((a, line) => text.TrimStart(Characters(a, line))),
            "rstrip" => Method((a, line) => text.TrimEnd(Characters(a, line))),
            "upper" => Method((_, _) => text.ToUpperInvariant()),
            "lower" => Method((_, _) => text.ToLowerInvariant()),
            "title" => Method((_, _) => Title(text)),
            "capitalize" => Method((_, _) => Capitalize(text)),
            "startswith" => Method((a, line) => Affixes(a, "startswith", line).Any(p => text.StartsWith(p, StringComparison.Ordinal))),
            "endswith" => Method((a, line) => Affixes(a, "endswith", line).Any(p => text.EndsWith(p, StringComparison.Ordinal))),
            "split" => Method((a, line) => Split(text, a, line)),
            "splitlines" => Method((_, _) => text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(l => (object?)l).ToList()),
            "replace" => Method((a, line) => Replace(text, TextAt(a, 0, "replace", line), TextAt(a, 1, "replace", line), a.ElementAtOrDefault(2) as long?, budget, line)),
            "find" => Method((a, line) => (long)text.IndexOf(TextAt(a, 0, "find", line), StringComparison.Ordinal)),
            "count" => Method((a, line) => (long)(text.Split(TextAt(a, 0, "count", line)).Length - 1)),
            "isdigit" => Method((_, _) => text.Length > 0 && text.All(char.IsDigit)),
            "join" => Method((a, line) => Filters.Join(a.ElementAtOrDefault(0), text, budget, line)),
            _ => new Undefined(name),
        };
    }

    private static string TextAt(List<object?> arguments, int index, string method, int line) =>
        arguments.ElementAtOrDefault(index) as string ??
        throw new ChatTemplateException(line, $"argument {index + 1} of \"{method}\" must be a string.");

    /// <summary>Null, white space, when none are given.</summary>
    private static char[]? Characters(List<object?> arguments, int line) =>
        arguments.Count == 0 || arguments[0] is null ? null : TextAt(arguments, 0, "strip", line).ToCharArray();

    /// <summary>One text or a tuple of them.</summary>
    private static IEnumerable<string> Affixes(List<object?> arguments, string method, int line) =>
        arguments.ElementAtOrDefault(0) is List<object?> several ? several.OfType<string>() : [TextAt(arguments, 0, method, line)];

    private static List<object?> Split(string text, List<object?> arguments, int line)
    {
        var most = arguments.ElementAtOrDefault(1) is long limit and >= 0 ? (int)Math.Min(limit, int.MaxValue - 1) + 1 : int.MaxValue;
        if (arguments.Count == 0 || arguments[0] is null)
        {
            return [.. text.Split((char[]?)null, most, StringSplitOptions.RemoveEmptyEntries)];
        }
        var separator = TextAt(arguments, 0, "split", line);
        return separator.Length > 0 ? [.. text.Split(separator, most)] : throw new ChatTemplateException(line, "\"split\" by an empty string.");
    }

    internal static string Replace(string text, string from, string to, long? most, RenderBudget budget, int line)
    {
        if (from.Length == 0) { throw new ChatTemplateException(line, "\"replace\" of an empty string."); }
        var parts = text.Split(from, (int)Math.Clamp((most ?? int.MaxValue - 1) + 1, 1, int.MaxValue));
        var length = text.Length + ((long)(parts.Length - 1) * (to.Length - from.Length));
        RenderBudget.CheckOutput((int)Math.Min(length, int.MaxValue), line);
        budget.Charge(length, line);
        return string.Join(to, parts);
    }

    internal static string Title(string text)
    {
        var inWord = false;
        return string.Concat(text.Select(character =>
        {
            var shown = inWord ? char.ToLower(character, CultureInfo.InvariantCulture) : char.ToUpper(character, CultureInfo.InvariantCulture);
            inWord = char.IsLetter(character);
            return shown;
        }));
    }

    internal static string Capitalize(string text) =>
        text.Length == 0 ? text : char.ToUpper(text[0], CultureInfo.InvariantCulture) + text[1..].ToLowerInvariant();
}
