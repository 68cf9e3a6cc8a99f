namespace Ferry.Cluster.Lint;

/// <summary>The language of an example; also the name that its file gets in a test.</summary>
public enum ExampleKind
{
    Shell,
    Compose,
    Kubernetes,
    EnvFile,
    LmCacheYaml,
    FerryYaml,
    Markdown,
}
