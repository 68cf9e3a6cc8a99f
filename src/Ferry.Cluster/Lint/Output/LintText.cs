using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ferry.Cluster.Lint.Output;

/// <summary>Words that every format uses alike.</summary>
internal static class LintText
{
    public static JsonWriterOptions JsonFormat { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Name(LintSeverity severity) => severity switch
    {
        LintSeverity.Error => "error",
        LintSeverity.Warning => "warning",
        _ => "info",
    };

    /// <summary>The rule's page, from the root of the repository.</summary>
    public static string Page(RuleInfo rule) => $"docs/lint/{rule.Id}.md";
}
