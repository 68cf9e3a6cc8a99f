namespace Ferry.Cluster.Rendering.Output;

/// <summary>A file that a writer made.</summary>
/// <param name="Path">Relative to the output directory, with '/'.</param>
public sealed record RenderedFile(string Path, string Content, bool IsExecutable = false);
