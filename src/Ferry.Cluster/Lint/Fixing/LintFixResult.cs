using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Fixing;

/// <summary>What was mended.</summary>
/// <param name="Files">In the order that they were given, rewritten where something was mended.</param>
/// <param name="Applied">The findings whose edits were made.</param>
/// <param name="Remaining">What is still found.</param>
public sealed record LintFixResult(IReadOnlyList<SourceFile> Files, IReadOnlyList<LintFinding> Applied, LintReport Remaining);
