using System.Globalization;
using System.Text;

namespace Ferry.Engine.Chat.Jinja;

/// <summary>The functions that a template may call.</summary>
internal static class Globals
{
    public static IEnumerable<Callable> All(DateTimeOffset now, RenderBudget budget) =>
    [
        new("raise_exception", (arguments, _, line) =>
            throw new ChatTemplateException(line, JinjaValue.Print(arguments.ElementAtOrDefault(0)), raisedByTemplate: true)),
        new("strftime_now", (arguments, _, line) => Format(now, JinjaValue.Print(arguments.ElementAtOrDefault(0)), line)),
        new("namespace", (_, named, _) => new Namespace(named)),
        new("dict", (_, named, _) => ToMap(named)),
        new("range", (arguments, _, line) => Range(arguments, budget, line)),
    ];

    private static OrderedDictionary<string, object?> ToMap(Dictionary<string, object?> named)
    {
        var map = new OrderedDictionary<string, object?>(named.Count);
        foreach (var (key, value) in named) { map[key] = value; }
        return map;
    }

    private static List<object?> Range(List<object?> arguments, RenderBudget budget, int line)
    {
        if (arguments.Count is < 1 or > 3 || !arguments.TrueForAll(a => a is long)) { throw new ChatTemplateException(line, "\"range\" takes one to three integers."); }
        var numbers = arguments.ConvertAll(a => (long)a!);
        var (start, stop) = numbers.Count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1]);
        var step = numbers.Count == 3 ? numbers[2] : 1;
        if (step == 0) { throw new ChatTemplateException(line, "\"range\" with a step of 0."); }
        var count = Math.Ceiling(((double)stop - start) / step);
        if (count > RenderBudget.MaxRange) { throw new ChatTemplateException(line, $"\"range\" of more than {RenderBudget.MaxRange} numbers."); }
        var result = new List<object?>();
        for (var i = 0; i < count; i++) { result.Add(start + (i * step)); }
        budget.Charge(result.Count, line);
        return result;
    }

    /// <summary>C's strftime, English names.</summary>
    private static string Format(DateTimeOffset now, string format, int line)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            var code = format[++i];
            var unpadded = code == '-' && i + 1 < format.Length;
            if (unpadded) { code = format[++i]; }
            var part = code switch
            {
                'Y' => "yyyy",
                'y' => "yy",
                'm' => "MM",
                'B' => "MMMM",
                'b' => "MMM",
                'd' => "dd",
                'A' => "dddd",
                'a' => "ddd",
                'H' => "HH",
                'I' => "hh",
                'M' => "mm",
                'S' => "ss",
                'p' => "tt",
                'j' or '%' => "",
                _ => throw new ChatTemplateException(line, $"strftime_now: the code \"%{code}\" is unknown here."),
            };
            var shown = code switch
            {
                '%' => "%",
                'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                _ => now.ToString(part, CultureInfo.InvariantCulture),
            };
            text.Append(unpadded ? shown.TrimStart('0') : shown);
        }
        return text.ToString();
    }
}
