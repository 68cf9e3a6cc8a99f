using Ferry.Cluster.Lint;
using Ferry.Cluster.Sources;

namespace Ferry.UnitTests.Cluster.Lint;

/// <summary>Examples of rules as the files that a user would give.</summary>
internal static class Examples
{
    public static IReadOnlyList<SourceFile> Files(RuleExample example)
    {
        var texts = example.Text.Split("\n--- file ---\n");
        return [.. texts.Select((text, index) => new SourceFile($"example{(texts.Length > 1 ? $"{index + 1}" : "")}{Extension(example.Kind)}", text))];
    }

    public static LintReport Lint(RuleExample example) => Linter.Run(Files(example), LintOptions.Default);

    private static string Extension(ExampleKind kind) => kind switch
    {
        ExampleKind.Shell => ".sh",
        ExampleKind.EnvFile => ".env",
        ExampleKind.Markdown => ".md",
        _ => ".yaml",
    };
}
