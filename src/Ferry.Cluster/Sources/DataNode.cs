namespace Ferry.Cluster.Sources;

/// <summary>A value of JSON or YAML that knows where it stands, also inside a quoted shell word.</summary>
/// <param name="Text">A string without its quotes; a number or a word as written; of an array or object an empty value with the span of all of it.</param>
internal sealed record DataNode(DataKind Kind, SourcedText Text)
{
    public IReadOnlyList<DataMember> Members { get; init; } = [];

    public IReadOnlyList<DataNode> Items { get; init; } = [];

    public SourceSpan Span => Text.Span;

    /// <summary>The member under a key (the last of several, as parsers have it), or null; null too when this is no object.</summary>
    public DataMember? Member(string key)
    {
        for (var i = Members.Count - 1; i >= 0; i--)
        {
            if (Members[i].Key.Value == key) { return Members[i]; }
        }
        return null;
    }

    /// <summary>A member's value along a path of keys, or null.</summary>
    public DataNode? Find(params ReadOnlySpan<string> path)
    {
        var at = this;
        foreach (var key in path)
        {
            at = at.Member(key)?.Value;
            if (at is null) { return null; }
        }
        return at;
    }

    public bool IsTrue => Kind == DataKind.True;

    public bool IsFalse => Kind == DataKind.False;

    /// <summary>The text of a string, or null for another kind.</summary>
    public string? TryString() => Kind == DataKind.String ? Text.Value : null;
}
