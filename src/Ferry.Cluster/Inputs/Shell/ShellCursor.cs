using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>A position in a script, and questions about the lines ahead. Offsets are into the value, not the file.</summary>
internal sealed class ShellCursor(SourcedText text, List<SourceDefect> defects)
{
    public SourcedText Text { get; } = text;

    public string Value { get; } = text.Value;

    public int At { get; set; }

    public List<SourceDefect> Defects { get; } = defects;

    public bool IsAtEnd => At >= Value.Length;

    public char Peek(int ahead = 0) => At + ahead < Value.Length ? Value[At + ahead] : '\0';

    public SourceSpan Span(int start, int end) => Text.Slice(start, Math.Max(0, end - start));

    /// <summary>The end of the line that holds <paramref name="at"/>: at its line end, a carriage return before it left to the line.</summary>
    public int LineEnd(int at)
    {
        var end = Value.IndexOf('\n', Math.Min(at, Value.Length));
        return end < 0 ? Value.Length : end;
    }

    public int LineStart(int at) => at == 0 ? 0 : Value.LastIndexOf('\n', at - 1) + 1;

    /// <summary>Length of a line join at <paramref name="at"/>: 2, or 3 with a carriage return; 0 when there is none.</summary>
    public int JoinLength(int at) => at >= Value.Length || Value[at] != '\\' ? 0 :
        at + 1 < Value.Length && Value[at + 1] == '\n' ? 2 :
        at + 2 < Value.Length && Value[at + 1] == '\r' && Value[at + 2] == '\n' ? 3 : 0;

    /// <summary>The first line at or behind <paramref name="at"/> (a line's start) that is more than blanks, a comment or a lone backslash; -1 at the end.</summary>
    public int NextSubstance(int at)
    {
        while (at < Value.Length)
        {
            var end = LineEnd(at);
            var line = Value.AsSpan(at, end - at).Trim();
            if (line.Length > 0 && line[0] != '#' && !line.SequenceEqual("\\")) { return at + IndexOfInk(at, end); }
            at = end + 1;
        }
        return -1;
    }

    /// <summary>Whether a line's first characters can only continue a command: an option.</summary>
    public bool IsOption(int at) => at >= 0 && at + 1 < Value.Length && Value[at] == '-' &&
        (char.IsAsciiLetter(Value[at + 1]) || (Value[at + 1] == '-' && at + 2 < Value.Length && char.IsAsciiLetter(Value[at + 2])));

    private int IndexOfInk(int at, int end)
    {
        var index = 0;
        while (at + index < end && char.IsWhiteSpace(Value[at + index])) { index++; }
        return index;
    }
}
