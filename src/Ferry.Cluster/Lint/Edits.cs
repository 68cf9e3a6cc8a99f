using Ferry.Cluster.Lint.Rules.LmCache;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>Replacements that rules offer; empty where the text was put together from several places and no exact edit exists.</summary>
internal static class Edits
{
    /// <summary>Another value in the place of this one; quotes around it stay.</summary>
    public static IReadOnlyList<TextEdit> Replace(SourcedText value, string newValue) =>
        value.TryExact() is { } span ? [new TextEdit(span, newValue)] : [];

    /// <summary>The flag and its value go; a line of its own goes with it, and the command goes on as before.</summary>
    public static IReadOnlyList<TextEdit> Remove(ArgumentFlag flag)
    {
        var file = flag.Span.File;
        var start = flag.Span.Offset;
        // In YAML and JSON lists a flag is an item with marks around it: only a person can take that out.
        if (start == 0 || file.Text[start - 1] is not (' ' or '\t')) { return []; }
        var (first, last) = (flag.Span.Line, flag.Span.EndLine);
        var ownsLine = file.Text.AsSpan(file.StartOfLine(first), start - file.StartOfLine(first)).IsWhiteSpace();
        // An open quote may end with its line's end, or behind it.
        if (file.Line(last).End < flag.Span.End) { return []; }
        var behind = file.Text.AsSpan(flag.Span.End, file.Line(last).End - flag.Span.End).Trim();
        if (ownsLine && behind is "\\" && last < file.LineCount)
        {
            return [new TextEdit(file.Span(file.StartOfLine(first), file.StartOfLine(last + 1) - file.StartOfLine(first)), "")];
        }
        if (ownsLine && behind.IsEmpty && first > 1 && file.Line(first - 1).Text.EndsWith('\\'))
        {
            // The last line of a command: the backslash before it goes too.
            var end = file.Line(first - 1).End - 1;
            while (end > 0 && file.Text[end - 1] is ' ' or '\t') { end--; }
            return [new TextEdit(file.Span(end, flag.Span.End - end), "")];
        }
        while (start > 0 && file.Text[start - 1] is ' ' or '\t') { start--; }
        return [new TextEdit(file.Span(start, flag.Span.End - start), "")];
    }

    /// <summary>One more variable for a process, beside the first one that stands on a line of its own.</summary>
    public static IReadOnlyList<TextEdit> AddVariable(ObservedProcess process, string name, string value) =>
        process.Environment.All.Select(setting => LmCacheFacts.InsertBeside(setting, name, value)).FirstOrDefault(edits => edits.Count > 0) ?? [];
}
