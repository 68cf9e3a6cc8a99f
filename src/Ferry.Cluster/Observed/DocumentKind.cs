namespace Ferry.Cluster.Observed;

/// <summary>What a YAML document is.</summary>
internal enum DocumentKind
{
    Compose,
    Kubernetes,
    LmCache,
    FerryYaml,
}
