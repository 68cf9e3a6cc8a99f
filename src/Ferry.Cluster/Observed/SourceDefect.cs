using Ferry.Cluster.Lint;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>Something that a reader met: the rule of this id reports it.</summary>
/// <param name="RuleId">The rule that explains it.</param>
/// <param name="Span">Where.</param>
/// <param name="Detail">What exactly, as a sentence that ends the message; may be empty.</param>
/// <param name="Fix">The exact replacement where there is one.</param>
internal sealed record SourceDefect(string RuleId, SourceSpan Span, string Detail, params IReadOnlyList<TextEdit> Fix)
{
    /// <summary>Where this case is judged otherwise than the rule in general.</summary>
    public LintSeverity? Severity { get; init; }
}
