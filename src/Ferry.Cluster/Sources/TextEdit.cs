namespace Ferry.Cluster.Sources;

/// <summary>A replacement of exact characters of a file; an empty span inserts, an empty text removes.</summary>
public sealed record TextEdit(SourceSpan Span, string NewText);
