namespace Ferry.Cluster.Yaml;

/// <summary>A sequence.</summary>
internal sealed record YamlList(IReadOnlyList<YamlTree> Items, int Line, int Column, int Count) : YamlTree(Line, Column, Count);
