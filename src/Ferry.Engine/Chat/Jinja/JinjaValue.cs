using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>
/// Python's view of the values a template meets: null (None), bool, long, double, string, list, map with text keys,
/// <see cref="Undefined"/>, <see cref="Namespace"/> and <see cref="Callable"/>. Nothing else ever reaches a template.
/// </summary>
internal static class JinjaValue
{
    public static object? FromJson(JsonNode? node) => node switch
    {
        null => null,
        JsonObject map => ToMap(map),
        JsonArray list => list.Select(FromJson).ToList(),
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.Number => FromNumber(value),
            _ => null,
        },
        _ => null,
    };

    private static object FromNumber(JsonValue value)
    {
        var text = value.ToJsonString();
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
            ? integer
            : (object)double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static OrderedDictionary<string, object?> ToMap(JsonObject source)
    {
        var map = new OrderedDictionary<string, object?>(source.Count);
        foreach (var (key, value) in source) { map[key] = FromJson(value); }
        return map;
    }

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long integer => integer != 0,
        double real => real != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        OrderedDictionary<string, object?> map => map.Count > 0,
        _ => true,
    };

    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public static string Print(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Represent(value),
    };

    /// <summary>Python's repr.</summary>
    public static string Represent(object? value) => value switch
    {
        null => "None",
        Undefined => "Undefined",
        bool flag => flag ? "True" : "False",
        long integer => integer.ToString(CultureInfo.InvariantCulture),
        double real => PrintFloat(real),
        string text => Quote(text),
        List<object?> list => $"[{string.Join(", ", list.Select(Represent))}]",
        OrderedDictionary<string, object?> map => $"{{{string.Join(", ", map.Select(p => $"{Quote(p.Key)}: {Represent(p.Value)}"))}}}",
        Callable callable => $"<function {callable.Name}>",
        _ => "<namespace>",
    };

    /// <summary>Kind of a value for messages.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "none",
        Undefined undefined => $"undefined (\"{undefined.Name}\")",
        bool => "a boolean",
        long => "an integer",
        double => "a float",
        string => "a string",
        List<object?> => "a list",
        OrderedDictionary<string, object?> => "a mapping",
        Callable => "a function",
        _ => "a namespace",
    };

    public static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (string a, string b) => a == b,
        (bool or long or double, bool or long or double) => ToDouble(left!) == ToDouble(right!),
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(p => AreEqual(p.First, p.Second)),
        (OrderedDictionary<string, object?> a, OrderedDictionary<string, object?> b) =>
            a.Count == b.Count && a.All(p => b.TryGetValue(p.Key, out var other) && AreEqual(p.Value, other)),
        (Undefined, Undefined) => true,
        _ => ReferenceEquals(left, right),
    };

    /// <summary>Python's order of numbers and of strings; null when the two have none.</summary>
    public static int? Compare(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (bool or long or double, bool or long or double) => ToDouble(left!).CompareTo(ToDouble(right!)),
        _ => null,
    };

    public static double ToDouble(object number) => number switch { bool flag => flag ? 1 : 0, long integer => integer, double real => real, _ => double.NaN };

    /// <summary>Python's json.dumps with ensure_ascii off, as Hugging Face's tojson.</summary>
    public static string ToJson(object? value, int? indent, int line)
    {
        var text = new StringBuilder();
        WriteJson(text, value, indent, 0, line);
        return text.ToString();
    }

    private static void WriteJson(StringBuilder text, object? value, int? indent, int level, int line)
    {
        switch (value)
        {
            case null: text.Append("null"); break;
            case bool flag: text.Append(flag ? "true" : "false"); break;
            case long or double: text.Append(Represent(value)); break;
            case string s: WriteJsonText(text, s); break;
            case List<object?> list: WriteItems(text, '[', ']', list, item => WriteJson(text, item, indent, level + 1, line), indent, level); break;
            case OrderedDictionary<string, object?> map:
                WriteItems(text, '{', '}', map, pair =>
                {
                    WriteJsonText(text, pair.Key);
                    text.Append(": ");
                    WriteJson(text, pair.Value, indent, level + 1, line);
                }, indent, level);
                break;
            default: throw new ChatTemplateException(line, $"tojson cannot write {Kind(value)}.");
        }
    }

    private static void WriteJsonText(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var character in value)
        {
            switch (character)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case < ' ': text.Append($"\\u{(int)character:x4}"); break;
                default: text.Append(character); break;
            }
        }
        text.Append('"');
    }

    private static void WriteItems<T>(
        StringBuilder text, char open, char close, ICollection<T> items, Action<T> write, int? indent, int level)
    {
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first) { text.Append(indent is null ? ", " : ","); }
            if (indent is { } width) { text.Append('\n').Append(' ', width * (level + 1)); }
            write(item);
            first = false;
        }
        if (indent is { } outer && items.Count > 0) { text.Append('\n').Append(' ', outer * level); }
        text.Append(close);
    }

    private static string PrintFloat(double real)
    {
        if (!double.IsFinite(real)) { return double.IsNaN(real) ? "nan" : real > 0 ? "inf" : "-inf"; }
        if (real == Math.Truncate(real) && Math.Abs(real) < 1e16) { return $"{(long)real}.0"; }
        var text = real.ToString(CultureInfo.InvariantCulture);
        if (text.AsSpan().ContainsAny(".E")) { return text.Replace("E", "e", StringComparison.Ordinal); }
        // Python writes an exponent from 1e16 on, .NET from 1e17 on.
        var sign = real < 0 ? "-" : "";
        var digits = text[sign.Length..];
        var fraction = digits[1..].TrimEnd('0');
        return $"{sign}{digits[0]}{(fraction.Length > 0 ? "." : "")}{fraction}e+{digits.Length - 1}";
    }

    private static string Quote(string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var quoted = new StringBuilder(text.Length + 2).Append(quote);
        foreach (var character in text)
        {
            switch (character)
            {
                case '\n': quoted.Append("\\n"); break;
                case '\r': quoted.Append("\\r"); break;
                case '\t': quoted.Append("\\t"); break;
                case '\\': quoted.Append("\\\\"); break;
                case var c when c == quote: quoted.Append('\\').Append(c); break;
                default: quoted.Append(character); break;
            }
        }
        return quoted.Append(quote).ToString();
    }
}
