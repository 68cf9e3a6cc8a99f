using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint;

/// <summary>What a run found.</summary>
/// <param name="Files">What was read.</param>
/// <param name="Findings">By file, line and rule; suppressed ones are not among them.</param>
/// <param name="SuppressedCount">Findings that the suppression file takes out.</param>
/// <param name="DroppedCount">Findings beyond the limit of one run.</param>
/// <param name="Summary">What was recognised: "2 prefill × 2 decode engines, 1 router".</param>
public sealed record LintReport(
    IReadOnlyList<SourceFile> Files, IReadOnlyList<LintFinding> Findings, int SuppressedCount, int DroppedCount, string Summary)
{
    private readonly SecretValues _secrets = SecretValues.None;

    /// <summary>Files of directories that are of no kind that is checked, and not among <see cref="Files"/>.</summary>
    public int PassedOverCount { get; init; }

    /// <summary>0, 1 or 2: the worst severity.</summary>
    public int ExitCode => Findings.Count == 0 ? 0 : (int)Findings.Max(finding => finding.Severity);

    public int Count(LintSeverity severity) => Findings.Count(finding => finding.Severity == severity);

    internal SecretValues Secrets { get => _secrets; init => _secrets = value; }

    /// <summary>A text of the files (a line, a diff) with every secret masked.</summary>
    public string Redact(string text) => _secrets.Redact(text);
}
