using Ferry.Cluster.Lint;
using Ferry.Cluster.Lint.Fixing;
using Ferry.Cluster.Sources;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cluster.Lint;

/// <summary>A report for people: by file and rule, the offending lines with carets, a table and a sum at the end.</summary>
internal sealed class LintScreen(IAnsiConsole console)
{
    /// <summary>Quoted lines a rule and file; the rest is named by line number.</summary>
    private const int MaxExcerpts = 3;

    /// <summary>Columns of quoted text; on a terminal no more than it has, so that carets stay under their words.</summary>
    private readonly int _width = Math.Clamp((console.Profile.Out.IsTerminal ? console.Profile.Width : 150) - 12, 40, 138);

    public void Show(LintReport report)
    {
        foreach (var file in report.Findings.GroupBy(finding => finding.Span.File.Path))
        {
            Line($"[bold underline]{Markup.Escape(file.Key)}[/]");
            Line();
            foreach (var rule in file.GroupBy(finding => finding.Rule.Id).OrderByDescending(group => group.Max(finding => finding.Severity)))
            {
                ShowRule(report, [.. rule]);
            }
        }
        if (report.Findings.Count > 0) { ShowTable(report); }
        ShowSum(report);
    }

    /// <summary>The diff of what was mended, or would be.</summary>
    public void ShowFixes(IReadOnlyList<SourceFile> before, LintFixResult result, bool dryRun)
    {
        for (var i = 0; i < before.Count; i++)
        {
            foreach (var line in UnifiedDiff.Of(before[i].Path, before[i].Text, result.Files[i].Text))
            {
                var text = Markup.Escape(result.Remaining.Redact(line));
                Line(line[0] switch { '+' => $"[green]{text}[/]", '-' => $"[red]{text}[/]", '@' => $"[blue]{text}[/]", _ => text });
            }
        }
        Line(result.Applied.Count == 0 ? "Nothing can be mended by exact edits." : $"[bold]{Count(result.Applied.Count, "finding")} {(dryRun ? "would be mended; nothing is changed" : "mended")}.[/]");
        Line();
    }

    public void Explain(RuleInfo rule)
    {
        Line($"[bold]{rule.Id}[/]  {Style(rule.Severity, Name(rule.Severity))}");
        Line($"[bold]{Markup.Escape(rule.Title)}[/]");
        Line();
        Paragraph("Why it matters", rule.Why);
        Paragraph("How it shows", rule.Symptom);
        Paragraph("Fix", rule.Fix);
        Paragraph("Applies to", rule.Versions);
        Example("Wrong", rule.BadExample, "red");
        Example("Right", rule.GoodExample, "green");
        Line("[bold]Sources[/]");
        foreach (var source in rule.Sources) { Line($"  {Markup.Escape(source)}"); }
    }

    private void ShowRule(LintReport report, LintFinding[] findings)
    {
        var rule = findings[0].Rule;
        var severity = findings.Max(finding => finding.Severity);
        Line($"{Style(severity, Name(severity))} [bold]{rule.Id}[/] {Markup.Escape(rule.Title)}");
        var shown = 0;
        foreach (var message in findings.GroupBy(finding => finding.Message))
        {
            Wrapped(message.Key, "  ");
            LintFinding[] places = [.. message];
            var excerpts = Math.Max(1, Math.Min(places.Length, MaxExcerpts - shown));
            foreach (var finding in places.Take(excerpts)) { ShowExcerpt(report, finding.Span, severity); }
            shown += excerpts;
            if (places.Length > excerpts) { Wrapped($"also in line {string.Join(", ", places.Skip(excerpts).Select(finding => finding.Span.Line))}", "    "); }
        }
        var fixes = findings.Count(finding => finding.Fix.Count > 0);
        if (fixes > 0) { Line($"  [green]--fix mends {(fixes == findings.Length ? "this" : $"{fixes} of {findings.Length}")}[/]"); }
        Line();
    }

    private void ShowExcerpt(LintReport report, SourceSpan span, LintSeverity severity)
    {
        var line = span.Line;
        var source = span.File.Line(line);
        // Masked before it is cut: half a secret is one too.
        var text = report.Redact(source.Text);
        var start = Math.Min(span.Offset - source.Offset, text.Length);
        var length = Math.Max(1, Math.Min(span.Length, source.Length - (span.Offset - source.Offset)));
        if (text.Length != source.Length) { (start, length) = (text.Length - text.TrimStart().Length, Math.Max(1, text.Trim().Length)); }
        var indent = text.Length - text.TrimStart().Length;
        var cut = Math.Max(0, Math.Max(Math.Min(indent, start) - 2, start + Math.Min(length, 60) - _width));
        var visible = text.Replace('\t', ' ')[cut..];
        visible = visible.Length > _width ? visible[.._width] + "…" : visible;
        var caret = new string(' ', Math.Max(0, start - cut)) + new string('^', Math.Clamp(length, 1, Math.Max(1, visible.Length - (start - cut))));
        Line($"[grey]{line,6} │[/] {Markup.Escape(visible)}");
        Line($"[grey]       │[/] {Style(severity, caret)}");
    }

    private void ShowTable(LintReport report)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("Rule", "Severity").AddColumn(new TableColumn("Findings").RightAligned()).AddColumn(new TableColumn("Mended by --fix").RightAligned()).AddColumn("What is wrong");
        foreach (var rule in report.Findings.GroupBy(finding => finding.Rule.Id).OrderByDescending(group => group.Max(finding => finding.Severity)).ThenBy(group => group.Key, StringComparer.Ordinal))
        {
            var severity = rule.Max(finding => finding.Severity);
            var fixes = rule.Count(finding => finding.Fix.Count > 0);
            table.AddRow(rule.Key, Style(severity, Name(severity)), $"{rule.Count()}", fixes > 0 ? $"{fixes}" : "", Markup.Escape(rule.First().Rule.Title));
        }
        if (!console.Profile.Out.IsTerminal) { console.Profile.Width = 200; }
        console.Write(table);
    }

    private void ShowSum(LintReport report)
    {
        Line($"Recognised: {Markup.Escape(report.Summary)}, in {Count(report.Files.Count, "file")}{(report.PassedOverCount > 0 ? $"; {Count(report.PassedOverCount, "file")} of other kinds passed over" : "")}.");
        if (report.Findings.Count == 0)
        {
            Line($"[green]Nothing found.[/]{(report.SuppressedCount > 0 ? $" {Count(report.SuppressedCount, "finding")} suppressed." : "")}");
            return;
        }
        string[] parts = [.. new[] { (LintSeverity.Error, "error"), (LintSeverity.Warning, "warning"), (LintSeverity.Info, "note") }
            .Where(entry => report.Count(entry.Item1) > 0).Select(entry => Style(entry.Item1, Count(report.Count(entry.Item1), entry.Item2)))];
        var fixes = report.Findings.Count(finding => finding.Fix.Count > 0);
        Line(string.Join(", ", parts) + (fixes > 0 ? $"; {fixes} can be mended by --fix" : "") + (report.SuppressedCount > 0 ? $"; {report.SuppressedCount} suppressed" : "") +
            (report.DroppedCount > 0 ? $"; {report.DroppedCount} more left out" : "") + ".");
        Line($"More about a rule: ferry lint --explain {report.Findings.MaxBy(finding => finding.Severity)!.Rule.Id}");
    }

    private void Paragraph(string title, string text)
    {
        Line($"[bold]{title}[/]");
        Wrapped(text, "  ");
        Line();
    }

    private void Example(string title, RuleExample example, string colour)
    {
        Line($"[bold {colour}]{title}[/]");
        foreach (var line in example.Text.TrimEnd('\n').Split('\n')) { Line($"  {Markup.Escape(line.TrimEnd('\r'))}"); }
        Line();
    }

    /// <summary>Breaks at blanks to the width of the console, so that each line keeps its indentation.</summary>
    private void Wrapped(string text, string indent)
    {
        var width = _width + 6 - indent.Length;
        for (var rest = text; rest.Length > 0;)
        {
            var end = rest.Length <= width ? rest.Length : rest.LastIndexOf(' ', width);
            end = end <= 0 ? Math.Min(width, rest.Length) : end;
            Line(indent + Markup.Escape(rest[..end]));
            rest = rest[end..].TrimStart(' ');
        }
    }

    /// <summary>One line, never wrapped where it goes to a file or a pipe: other programs read it.</summary>
    private void Line(string markup = "")
    {
        if (console.Profile.Out.IsTerminal)
        {
            console.MarkupLine(markup);
            return;
        }
        console.Profile.Out.Writer.WriteLine(Markup.Remove(markup));
    }

    private static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";

    private static string Name(LintSeverity severity) => severity switch { LintSeverity.Error => "error", LintSeverity.Warning => "warning", _ => "info" };

    private static string Style(LintSeverity severity, string text) =>
        $"[{severity switch { LintSeverity.Error => "red", LintSeverity.Warning => "yellow", _ => "blue" }}]{Markup.Escape(text)}[/]";
}
