namespace Ferry.Cluster.Lint;

/// <summary>How a run judges.</summary>
/// <param name="Suppressions">Findings that somebody has accepted, with the reason; null: none.</param>
public sealed record LintOptions(Suppressions? Suppressions = null)
{
    public static LintOptions Default { get; } = new();
}
