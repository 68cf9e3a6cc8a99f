using System.Text;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Fixing;

/// <summary>Rewrites what findings can mend by exact edits; everything else of a file stays as it is, byte for byte.</summary>
public static class LintFixer
{
    /// <summary>One mended mistake may uncover another; more rounds than this mean that two rules undo each other.</summary>
    private const int MaxRounds = 10;

    /// <summary>Applies edits and checks again until nothing more can be mended.</summary>
    public static LintFixResult Fix(IReadOnlyList<SourceFile> files, LintOptions options)
    {
        ArgumentNullException.ThrowIfNull(files);
        var report = Linter.Run(files, options);
        var applied = new List<LintFinding>();
        for (var round = 0; round < MaxRounds; round++)
        {
            var (next, done) = Apply(files, report.Findings);
            if (done.Count == 0) { break; }
            applied.AddRange(done);
            files = next;
            report = Linter.Run(files, options);
        }
        return new LintFixResult(files, applied, report);
    }

    /// <summary>The files with the edits of as many findings as do not touch each other; a finding's edits are made all or not at all.</summary>
    private static (IReadOnlyList<SourceFile> Files, IReadOnlyList<LintFinding> Applied) Apply(IReadOnlyList<SourceFile> files, IReadOnlyList<LintFinding> findings)
    {
        var accepted = files.ToDictionary(file => file, _ => new List<TextEdit>());
        var applied = new List<LintFinding>();
        foreach (var finding in findings.Where(finding => finding.Fix.Count > 0))
        {
            if (!finding.Fix.All(edit => accepted.TryGetValue(edit.Span.File, out var others) && others.All(other => IsApart(edit, other)))) { continue; }
            foreach (var edit in finding.Fix) { accepted[edit.Span.File].Add(edit); }
            applied.Add(finding);
        }
        return ([.. files.Select(file => accepted[file].Count == 0 ? file : new SourceFile(file.Path, Rewrite(file, accepted[file])))], applied);
    }

    private static bool IsApart(TextEdit edit, TextEdit other)
    {
        var (a, b) = (edit.Span, other.Span);
        if (a.Length == 0 && b.Length == 0) { return a.Offset != b.Offset || edit.NewText != other.NewText; }
        return a.End <= b.Offset || b.End <= a.Offset;
    }

    private static string Rewrite(SourceFile file, List<TextEdit> edits)
    {
        var text = new StringBuilder();
        var at = 0;
        // A stable sort: insertions at one place stay in the order of their findings, and come before what replaces the text behind.
        foreach (var edit in edits.OrderBy(edit => edit.Span.Offset).ThenBy(edit => edit.Span.Length == 0 ? 0 : 1))
        {
            text.Append(file.Text, at, edit.Span.Offset - at).Append(edit.NewText);
            at = edit.Span.End;
        }
        return text.Append(file.Text, at, file.Text.Length - at).ToString();
    }
}
