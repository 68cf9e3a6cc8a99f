namespace Ferry.Cluster.Yaml;

/// <summary>A mapping, in the order of the file; a repeated key stands as often as it was written.</summary>
internal sealed record YamlMap(IReadOnlyList<KeyValuePair<YamlScalar, YamlTree>> Entries, int Line, int Column, int Count) : YamlTree(Line, Column, Count);
