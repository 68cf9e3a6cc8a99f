using Ferry.Cluster.Sources;
using YamlDotNet.Core;

namespace Ferry.Cluster.Inputs.Yaml;

/// <summary>Finds where each character of a scalar's value stands: plain, quoted, folded over lines or in a block.</summary>
internal static class YamlScalarPlaces
{
    /// <param name="start">Of the scalar in <paramref name="source"/>, quotes and block marks included.</param>
    public static SourcedText Of(SourcedText source, string value, int start, int end, ScalarStyle style)
    {
        var from = style switch
        {
            ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted => start + 1,
            ScalarStyle.Literal or ScalarStyle.Folded => BehindLine(source.Value, start, end),
            _ => start,
        };
        end = style is ScalarStyle.Literal or ScalarStyle.Folded ? TrimEnd(source.Value, start, end) : end;
        var span = source.Slice(start, end - start);
        if (from == start && value.Length == end - start && source.IsExact(start, value.Length)) { return new SourcedText(value, span); }
        var offsets = new int[value.Length];
        var at = from;
        for (var i = 0; i < value.Length; i++)
        {
            var found = Find(source.Value, value[i], at, end);
            offsets[i] = source.OffsetAt(Math.Min(found < 0 ? at : found, source.Value.Length));
            if (found >= 0) { at = found + 1; }
        }
        return new SourcedText(value, span, offsets);
    }

    /// <summary>Where a character of the value is written, at or a little behind <paramref name="at"/>; -1 for one that an escape or a line fold made.</summary>
    private static int Find(string source, char wanted, int at, int end)
    {
        const int EscapeLength = 10;   // \UXXXXXXXX
        const int LongestGap = 1024;   // deeper indentation is not met; without it a long run of blanks would be searched again for every character
        var skipped = 0;
        for (var i = at; i < Math.Min(end, at + LongestGap); i++)
        {
            if (source[i] == wanted) { return i; }
            // YAML drops indentation, line ends and the marks of escapes; more than an escape's length is another place.
            if (!(char.IsWhiteSpace(source[i]) || source[i] is '\\' or '\'') && (wanted is ' ' or '\n' || ++skipped > EscapeLength)) { return -1; }
        }
        return -1;
    }

    private static int BehindLine(string source, int start, int end)
    {
        var line = source.IndexOf('\n', start, Math.Max(0, end - start));
        return line < 0 ? end : line + 1;
    }

    private static int TrimEnd(string source, int start, int end)
    {
        while (end > start && char.IsWhiteSpace(source[end - 1])) { end--; }
        return end;
    }
}
