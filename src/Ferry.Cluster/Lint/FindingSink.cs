using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>Takes the findings of rules, bounded, and keeps secrets out of them.</summary>
/// <param name="secrets">What must never be shown.</param>
internal sealed class FindingSink(SecretValues secrets)
{
    /// <summary>More findings than this help nobody; the report says that some are left out.</summary>
    public const int MaxFindings = 2000;

    private readonly List<LintFinding> _findings = [];
    private readonly HashSet<(string Rule, string Path, int Offset, int Length, string Message)> _seen = [];

    public IReadOnlyList<LintFinding> Findings => _findings;

    /// <summary>Findings beyond <see cref="MaxFindings"/>.</summary>
    public int DroppedCount { get; private set; }

    /// <summary>Reports one; the same finding again (a process that stands in two pairs) is dropped.</summary>
    public void Report(RuleInfo rule, SourceSpan span, string message, params IReadOnlyList<TextEdit> fix) => Report(rule, rule.Severity, span, message, fix);

    /// <summary>Reports one with a severity of its own.</summary>
    public void Report(RuleInfo rule, LintSeverity severity, SourceSpan span, string message, params IReadOnlyList<TextEdit> fix)
    {
        message = secrets.Redact(message);
        if (!_seen.Add((rule.Id, span.File.Path, span.Offset, span.Length, message))) { return; }
        if (_findings.Count >= MaxFindings)
        {
            DroppedCount++;
            return;
        }
        _findings.Add(new LintFinding(rule, severity, span, message, fix));
    }
}
