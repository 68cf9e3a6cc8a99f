using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Ferry.Cluster.Rendering.Output;

/// <summary>Prints a document: two blanks a level, comments above what they speak of, strings quoted only where needed.</summary>
internal static partial class YamlPrinter
{
    public static string Print(YamlMap document, string? comment = null)
    {
        var text = new StringBuilder();
        WriteComment(text, comment, 0);
        WriteMap(text, document, 0);
        return text.ToString();
    }

    private static void WriteMap(StringBuilder text, YamlMap map, int depth, bool isAfterDash = false)
    {
        var first = isAfterDash;
        foreach (var (key, node, comment) in map.Entries)
        {
            // The first key of an item stands on the line of its dash, so its comment goes to the item instead.
            WriteComment(text, first ? null : comment, depth);
            text.Append(' ', first ? 0 : depth).Append(Quote(key)).Append(':');
            first = false;
            WriteValue(text, node, depth);
        }
    }

    private static void WriteValue(StringBuilder text, YamlNode node, int depth)
    {
        switch (node)
        {
            case YamlScalar { IsBlock: true } block:
                WriteBlock(text, block.Text, depth + 2);
                break;
            case YamlScalar scalar:
                text.Append(' ').Append(Scalar(scalar)).Append('\n');
                break;
            case YamlMap { Count: 0 }:
                text.Append(" {}\n");
                break;
            case YamlList { Items.Count: 0 }:
                text.Append(" []\n");
                break;
            case YamlList { IsFlow: true } flow:
                text.Append(" [").AppendJoin(", ", flow.Items.Select(item => Scalar((YamlScalar)item.Node))).Append("]\n");
                break;
            case YamlMap map:
                text.Append('\n');
                WriteMap(text, map, depth + 2);
                break;
            case YamlList list:
                text.Append('\n');
                WriteList(text, list, depth + 2);
                break;
        }
    }

    private static void WriteList(StringBuilder text, YamlList list, int depth)
    {
        foreach (var (node, comment) in list.Items)
        {
            WriteComment(text, comment, depth);
            text.Append(' ', depth).Append('-');
            if (node is YamlMap { Count: > 0 } map)
            {
                text.Append(' ');
                WriteMap(text, map, depth + 2, isAfterDash: true);
            }
            else
            {
                WriteValue(text, node, depth);
            }
        }
    }

    private static void WriteBlock(StringBuilder text, string lines, int depth)
    {
        text.Append(lines.EndsWith('\n') ? " |\n" : " |-\n");
        foreach (var line in lines.TrimEnd('\n').Split('\n'))
        {
            text.Append(' ', line.Length > 0 ? depth : 0).Append(line).Append('\n');
        }
    }

    private static void WriteComment(StringBuilder text, string? comment, int depth)
    {
        foreach (var line in comment?.Split('\n') ?? [])
        {
            text.Append(' ', depth).Append(line.Length > 0 ? "# " : "#").Append(line).Append('\n');
        }
    }

    private static string Scalar(YamlScalar scalar) => scalar.IsPlain ? scalar.Text : Quote(scalar.Text);

    /// <summary>As it is where every YAML reader takes that for this string; else in single quotes, or in double ones with JSON's escapes.</summary>
    public static string Quote(string text)
    {
        if (IsPlainString(text))
        {
            return text;
        }
        if (text.Contains('"', StringComparison.Ordinal) && !text.Any(c => c is '\'' or < ' ' or >= '\u007f'))
        {
            return $"'{text}'";
        }
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                < ' ' or '\u007f' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => quoted.Append(c),
            };
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>Letters, digits and a few signs, and none of YAML 1.1's other types: numbers, truth values, null, dates, sexagesimals.</summary>
    private static bool IsPlainString(string text) =>
        text.Length > 0 && (char.IsAsciiLetter(text[0]) || text[0] is '/' or '_' || Harmless().IsMatch(text))
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '.' or '-' or '+' or '@' or '=' or ' ' or ':' or '(' or ')')
        && !text.Contains(": ", StringComparison.Ordinal) && text[^1] is not (' ' or ':')
        && !(text.ToUpperInvariant() is "TRUE" or "FALSE" or "YES" or "NO" or "ON" or "OFF" or "NULL" or "Y" or "N");

    /// <summary>What begins with a sign or a digit and is a string all the same: flags, relative paths, addresses, numbers with a unit.</summary>
    [GeneratedRegex(@"^(--?[a-z]|\./[a-z]|[0-9]+(\.[0-9]+){3}(:[0-9]+)?$|[0-9]+(s|m|Mi|Gi|KiB|MiB|GiB)$)")]
    private static partial Regex Harmless();
}
