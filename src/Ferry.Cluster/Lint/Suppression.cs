namespace Ferry.Cluster.Lint;

/// <summary>A finding that somebody has accepted.</summary>
/// <param name="RuleId">Which rule.</param>
/// <param name="Path">End of the path of the file, or null for every file.</param>
/// <param name="Line">1-based, or null for every line.</param>
/// <param name="Reason">Why it is accepted; never empty.</param>
public sealed record Suppression(string RuleId, string? Path, int? Line, string Reason);
