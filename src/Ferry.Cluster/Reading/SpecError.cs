namespace Ferry.Cluster.Reading;

/// <summary>What is wrong with a ferry.yaml, and where.</summary>
/// <param name="Path">The value, such as <c>pools[0].engine.version</c>; empty: the file.</param>
/// <param name="Text">A sentence with the value, the limit and the way out.</param>
public sealed record SpecError(string File, int Line, int Column, string Path, string Text)
{
    /// <summary><c>file:line:column: what is wrong</c>, as compilers write it and editors follow it.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}: {Text}";
}
