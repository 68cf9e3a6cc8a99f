namespace Ferry.Cluster.Inputs;

/// <summary>The language of a text.</summary>
internal enum FileKind
{
    Unknown,

    /// <summary>Nothing but blanks and comments.</summary>
    Empty,
    Shell,
    EnvFile,
    Compose,
    Kubernetes,
    LmCacheYaml,
    FerryYaml,
    Markdown,

    /// <summary>YAML that has to be filled in first: <c>{{ … }}</c>.</summary>
    Template,

    /// <summary>Configuration of Ferry's own router or exchange, which they check themselves when they start.</summary>
    FerryConfig,

    /// <summary>YAML or JSON of some other program.</summary>
    OtherYaml,
}
