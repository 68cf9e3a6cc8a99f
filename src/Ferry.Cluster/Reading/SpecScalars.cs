using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Yaml;
using Ferry.Kv.Settings;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Reading;

/// <summary>Reads one value: its form, then its bounds.</summary>
internal static class SpecScalars
{
    private const int MaximumTextLength = 4096;

    /// <summary>The longest that an error repeats of a wrong value.</summary>
    private const int ShownLength = 80;

    private static readonly ConcurrentDictionary<string, Regex> Patterns = new(StringComparer.Ordinal);

    /// <summary>The value as the record has it; null with what is wrong, as the end of a sentence that begins with the key.</summary>
    public static object? TryRead(YamlScalar scalar, SpecValueType type, SpecKeyAttribute key, out string? wrong)
    {
        var text = scalar.Text;
        if (scalar.IsNull && type.Kind is not SpecValueKind.Text)
        {
            wrong = $"has no value; it takes {Expected(type, key)}.";
            return null;
        }
        object? value = type.Kind switch
        {
            SpecValueKind.Text when !scalar.IsNull && IsSafe(text) => text,
            SpecValueKind.Boolean when text is "true" or "True" or "TRUE" => true,
            SpecValueKind.Boolean when text is "false" or "False" or "FALSE" => false,
            SpecValueKind.Integer when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
            SpecValueKind.Real when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
            SpecValueKind.Bytes when ByteSize.TryParse(text, 1, out var bytes) => bytes,
            SpecValueKind.Rate when RateText.TryParse(text, out var rate) => rate,
            SpecValueKind.Choice => SpecChoices.Of(type.Clr).Where(choice => choice.Name == text).Select(choice => choice.Value).FirstOrDefault(),
            _ => null,
        };
        if (value is null)
        {
            var hint = type.Kind == SpecValueKind.Choice ? NameHint.Of(text, SpecChoices.Of(type.Clr).Select(choice => choice.Name)) : "";
            wrong = scalar.IsNull ? $"has no value; it takes {Expected(type, key)}." : $"is '{Shown(text)}'; it must be {Expected(type, key)}.{hint}";
            return null;
        }
        wrong = value is string word ? OutsidePattern(word, key) : OutsideRange(value, type, key, text);
        return wrong is not null ? null : type.Clr == typeof(int) ? (int)(long)value : value;
    }

    /// <summary>What a key takes, as the end of "it must be …".</summary>
    public static string Expected(SpecValueType type, SpecKeyAttribute key) => type.Kind switch
    {
        SpecValueKind.Text => key.PatternText.Length > 0 ? key.PatternText : "a text",
        SpecValueKind.Boolean => "true or false",
        SpecValueKind.Integer => "a whole number",
        SpecValueKind.Real => "a number",
        SpecValueKind.Bytes => $"a size such as 20GiB ({ByteSize.UnitList})",
        SpecValueKind.Rate => "a rate such as 50GB/s or 400Gbit/s",
        SpecValueKind.Choice => $"one of {string.Join(", ", SpecChoices.Of(type.Clr).Select(choice => choice.Name))}",
        SpecValueKind.Record => $"a mapping with the keys {string.Join(", ", SpecRecordType.Of(type.Clr).Properties.Select(property => property.Name))}",
        SpecValueKind.List => "a list",
        _ => "a mapping",
    };

    /// <summary>A value on one line, short enough for a message.</summary>
    public static string Shown(string text)
    {
        var line = string.Concat(text.Take(ShownLength + 1).Select(character => char.IsControl(character) ? ' ' : character));
        return line.Length <= ShownLength ? line : line[..ShownLength] + "…";
    }

    /// <summary>"lie in 1..8", or the one bound that there is.</summary>
    public static string Range(SpecValueType type, SpecKeyAttribute key)
    {
        var (low, high) = (Bound(key.Minimum, type), Bound(key.Maximum, type));
        return double.IsInfinity(key.Maximum) ? $"be at least {low}" : double.IsInfinity(key.Minimum) ? $"be at most {high}" : $"lie in {low}..{high}";
    }

    private static string? OutsideRange(object value, SpecValueType type, SpecKeyAttribute key, string text)
    {
        if (value is not (long or double))
        {
            return null;
        }
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        var most = type.Clr == typeof(int) ? Math.Min(key.Maximum, int.MaxValue) : key.Maximum;
        if (number >= key.Minimum && number <= most)
        {
            return null;
        }
        var unit = type.Kind == SpecValueKind.Bytes && text.All(char.IsAsciiDigit) ? " A number alone counts bytes; write a unit, such as 20GiB." : "";
        return $"is {Shown(text)}; it must {Range(type, key)}.{unit}";
    }

    private static string? OutsidePattern(string text, SpecKeyAttribute key) =>
        key.Pattern.Length == 0 || PatternOf(key.Pattern).IsMatch(text) ? null : $"is '{Shown(text)}'; it must be {key.PatternText}.";

    /// <summary>Without backtracking, so that no text takes longer than its length.</summary>
    private static Regex PatternOf(string pattern) =>
        Patterns.GetOrAdd(pattern, static pattern => new Regex($@"\A(?:{pattern})\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));

    private static string Bound(double bound, SpecValueType type) => type.Kind switch
    {
        SpecValueKind.Bytes => ByteSize.Format((long)bound),
        SpecValueKind.Rate => RateText.Format(bound),
        _ => bound.ToString("0.######", CultureInfo.InvariantCulture),
    };

    private static bool IsSafe(string text) => text.Length <= MaximumTextLength && !text.AsSpan().ContainsAnyInRange('\0', '\u001f');
}
