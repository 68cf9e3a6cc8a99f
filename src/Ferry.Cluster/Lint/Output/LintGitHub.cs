namespace Ferry.Cluster.Lint.Output;

/// <summary>A report as workflow commands of GitHub Actions, which it shows beside the lines of a pull request.</summary>
public static class LintGitHub
{
    public static void Write(LintReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        foreach (var finding in report.Findings)
        {
            var command = finding.Severity switch
            {
                LintSeverity.Error => "error",
                LintSeverity.Warning => "warning",
                _ => "notice",
            };
            var span = finding.Span;
            output.WriteLine(
                $"::{command} file={Property(span.File.Path)},line={span.Line},endLine={span.EndLine},col={span.Column},title={Property($"{finding.Rule.Id} {finding.Rule.Title}")}::{Data(finding.Message)}");
        }
    }

    private static string Data(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) => Data(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
