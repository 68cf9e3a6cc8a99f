namespace Ferry.Cluster.Verification;

/// <summary>Every run of every probe, in the order of the catalogue.</summary>
public sealed record VerifyReport(IReadOnlyList<ProbeResult> Results)
{
    /// <summary>The worst: a violation, else one that could not find out, else one that could not be run, else all passed. Nothing at all is not a pass.</summary>
    public ProbeVerdict Verdict =>
        Has(ProbeVerdict.Violation) ? ProbeVerdict.Violation
        : Has(ProbeVerdict.Inconclusive) || Results.Count == 0 ? ProbeVerdict.Inconclusive
        : Has(ProbeVerdict.Unsupported) ? ProbeVerdict.Unsupported
        : ProbeVerdict.Pass;

    public int ExitCode => (int)Verdict;

    public int Count(ProbeVerdict verdict) => Results.Count(result => result.Verdict == verdict);

    private bool Has(ProbeVerdict verdict) => Results.Any(result => result.Verdict == verdict);
}
