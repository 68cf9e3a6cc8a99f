using System.Text;
using Ferry.Cluster.Lint.Output;

namespace Ferry.Cluster.Lint.Pages;

/// <summary>A rule's page in docs/lint, made of what the rule says about itself.</summary>
internal static class RulePage
{
    public static string Of(RuleInfo rule)
    {
        var page = new StringBuilder();
        page.Append($"# {rule.Id}: {rule.Title}\n\n");
        page.Append($"Severity: {LintText.Name(rule.Severity)}. Applies to: {rule.Versions}.\n\n");
        Section(page, "Why it matters", rule.Why);
        Section(page, "How it shows", rule.Symptom);
        Section(page, "Fix", rule.Fix);
        Example(page, "Wrong", rule.BadExample);
        Example(page, "Right", rule.GoodExample);
        page.Append("## Sources\n\n");
        foreach (var source in rule.Sources) { page.Append($"- {source}\n"); }
        page.Append("\nThis page is generated from the rule; `ferry lint --write-docs docs/lint` writes it anew.\n");
        return page.ToString();
    }

    private static void Section(StringBuilder page, string title, string text) => page.Append($"## {title}\n\n{text}\n\n");

    private static void Example(StringBuilder page, string title, RuleExample example)
    {
        page.Append($"## {title}\n\n");
        foreach (var text in example.Text.ReplaceLineEndings("\n").Split("\n--- file ---\n"))
        {
            page.Append($"```{Language(example.Kind)}\n{text.TrimEnd('\n')}\n```\n\n");
        }
    }

    private static string Language(ExampleKind kind) => kind switch
    {
        ExampleKind.Shell => "bash",
        ExampleKind.EnvFile => "ini",
        ExampleKind.Markdown => "markdown",
        _ => "yaml",
    };
}
