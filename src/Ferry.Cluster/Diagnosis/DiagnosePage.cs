using System.Text;

namespace Ferry.Cluster.Diagnosis;

/// <summary>The table as the part of docs/diagnose.md that is made from it.</summary>
internal static class DiagnosePage
{
    public const string Begin = "<!-- made from the table in src/Ferry.Cluster/Diagnosis/Signatures: the test says how to make it anew -->";

    public static string Table()
    {
        var text = new StringBuilder();
        foreach (var component in SignatureTable.All.GroupBy(signature => signature.Id.Split('-')[1]))
        {
            text.Append("\n### ").Append(component.Key).Append("\n\n| id | what | cause | fix | lint | sources |\n|---|---|---|---|---|---|\n");
            foreach (var signature in component)
            {
                text.Append("| ").Append(signature.Id).Append(" | ").Append(Cell(signature.Title)).Append(" (").Append(Cell(signature.Component)).Append(", ").Append(Word(signature.Severity))
                    .Append(") | ").Append(Cell(signature.Cause)).Append(" | ").Append(Cell(signature.Fix)).Append(" | ")
                    .Append(string.Join(", ", signature.LintRules.Select(rule => $"[{rule}](lint/{rule}.md)"))).Append(" | ")
                    .Append(string.Join(", ", signature.Sources.Select(Source))).Append(" |\n");
            }
        }
        return text.ToString();
    }

    private static string Word(SignatureSeverity severity) => severity.ToString().ToLowerInvariant();

    /// <summary><c>owner/repository#number</c> becomes a link; GitHub leads from an issue's number to the pull request of that number.</summary>
    private static string Source(string source)
    {
        var hash = source.IndexOf('#', StringComparison.Ordinal);
        var isIssue = hash > 0 && source.AsSpan(0, hash).Count('/') == 1 && !source.Contains(' ', StringComparison.Ordinal) && source[(hash + 1)..].All(char.IsAsciiDigit);
        return isIssue ? $"[{source}](https://github.com/{source[..hash]}/issues/{source[(hash + 1)..]})" : Cell(source);
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
