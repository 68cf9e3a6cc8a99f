namespace Ferry.Cluster.Sources;

/// <summary>A text that somebody wrote, and where its lines begin. Immutable.</summary>
public sealed class SourceFile
{
    private readonly int[] _lineStarts;

    /// <param name="path">As findings name it; <c>&lt;stdin&gt;</c> for standard input.</param>
    /// <param name="text">The whole text, line ends as they are in the file.</param>
    public SourceFile(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(text);
        Path = path;
        Text = text;
        var starts = new List<int> { 0 };
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n') { starts.Add(i + 1); }
        }
        _lineStarts = [.. starts];
    }

    public string Path { get; }

    public string Text { get; }

    /// <summary>A last line without a line end counts; the empty text after the last line end does too.</summary>
    public int LineCount => _lineStarts.Length;

    /// <summary>The 1-based line that holds <paramref name="offset"/> (in UTF-16 units; the text's length is allowed).</summary>
    public int LineOf(int offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Text.Length);
        var index = Array.BinarySearch(_lineStarts, offset);
        return index >= 0 ? index + 1 : ~index;
    }

    /// <summary>The 1-based column of <paramref name="offset"/>, in UTF-16 units.</summary>
    public int ColumnOf(int offset) => offset - _lineStarts[LineOf(offset) - 1] + 1;

    /// <summary>Where the 1-based <paramref name="line"/> begins.</summary>
    public int StartOfLine(int line) => _lineStarts[line - 1];

    /// <summary>The 1-based <paramref name="line"/> without its line end.</summary>
    public SourceSpan Line(int line)
    {
        var start = _lineStarts[line - 1];
        var end = line < _lineStarts.Length ? _lineStarts[line] - 1 : Text.Length;
        if (end > start && Text[end - 1] == '\r') { end--; }
        return new SourceSpan(this, start, end - start);
    }

    /// <summary>A part of the text, clipped to it.</summary>
    public SourceSpan Span(int offset, int length)
    {
        var start = Math.Clamp(offset, 0, Text.Length);
        return new SourceSpan(this, start, Math.Clamp(length, 0, Text.Length - start));
    }

    public override string ToString() => Path;
}
