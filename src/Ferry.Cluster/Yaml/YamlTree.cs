namespace Ferry.Cluster.Yaml;

/// <summary>A node of a YAML document, with where it begins. An alias is the node that it names.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Count">Nodes of this subtree, aliases counted as what they stand for.</param>
internal abstract record YamlTree(int Line, int Column, int Count);
