using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>One thing that a rule found.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Severity">The rule's, unless it judged this case otherwise.</param>
/// <param name="Span">What to underline.</param>
/// <param name="Message">This case: the value, its limit or its peer, and the way out. Holds no secret.</param>
/// <param name="Fix">The edits that mend it; empty where a person must decide.</param>
public sealed record LintFinding(RuleInfo Rule, LintSeverity Severity, SourceSpan Span, string Message, IReadOnlyList<TextEdit> Fix);
