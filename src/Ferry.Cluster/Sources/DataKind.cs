namespace Ferry.Cluster.Sources;

/// <summary>What a JSON or YAML value is; a plain YAML word is what YAML 1.2's core schema takes it for.</summary>
internal enum DataKind
{
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}
