namespace Ferry.Cluster.Sources;

/// <summary>A run of characters in a file; may be empty (a place between two characters).</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">0-based, in UTF-16 units.</param>
/// <param name="Length">In UTF-16 units.</param>
public readonly record struct SourceSpan(SourceFile File, int Offset, int Length)
{
    /// <summary>1-based.</summary>
    public int Line => File.LineOf(Offset);

    /// <summary>1-based, in UTF-16 units.</summary>
    public int Column => File.ColumnOf(Offset);

    /// <summary>1-based line of the last character.</summary>
    public int EndLine => File.LineOf(Length == 0 ? Offset : Offset + Length - 1);

    public int End => Offset + Length;

    /// <summary>What stands there, quotes and escapes included.</summary>
    public string Text => File.Text.Substring(Offset, Length);

    public bool Contains(SourceSpan other) => ReferenceEquals(File, other.File) && other.Offset >= Offset && other.End <= End;

    public bool Overlaps(SourceSpan other) => ReferenceEquals(File, other.File) && other.Offset < End && Offset < other.End;

    /// <summary>The smallest span that holds both; this one if they stand in different files.</summary>
    public SourceSpan To(SourceSpan other)
    {
        if (!ReferenceEquals(File, other.File)) { return this; }
        var start = Math.Min(Offset, other.Offset);
        return new SourceSpan(File, start, Math.Max(End, other.End) - start);
    }

    /// <summary><c>path:line:column</c>.</summary>
    public override string ToString() => $"{File.Path}:{Line}:{Column}";
}
