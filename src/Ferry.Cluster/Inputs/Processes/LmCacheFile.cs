using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>An LMCache YAML file.</summary>
/// <param name="Path">As it would be named in a container: the input's path, or the file that a heredoc writes.</param>
internal sealed record LmCacheFile(string Path, DataNode Root, SourceSpan Span);
