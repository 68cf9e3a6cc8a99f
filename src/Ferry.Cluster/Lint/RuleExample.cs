namespace Ferry.Cluster.Lint;

/// <summary>A file that a rule is about; it stands in the rule's page and is its test.</summary>
/// <param name="Kind">The language.</param>
/// <param name="Text">A whole file, small; several files in one text are separated by a line <c>--- file ---</c>.</param>
public sealed record RuleExample(ExampleKind Kind, string Text)
{
    public static RuleExample Shell(string text) => new(ExampleKind.Shell, text);

    public static RuleExample Compose(string text) => new(ExampleKind.Compose, text);

    public static RuleExample Kubernetes(string text) => new(ExampleKind.Kubernetes, text);

    public static RuleExample EnvFile(string text) => new(ExampleKind.EnvFile, text);

    public static RuleExample LmCacheYaml(string text) => new(ExampleKind.LmCacheYaml, text);

    public static RuleExample FerryYaml(string text) => new(ExampleKind.FerryYaml, text);
}
