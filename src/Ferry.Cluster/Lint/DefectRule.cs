using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint;

/// <summary>A rule whose cases a reader of the language meets; the rule explains them.</summary>
internal abstract class DefectRule : LintRule
{
    /// <summary>How the message of a finding begins; the reader's detail follows.</summary>
    protected abstract string Message { get; }

    public sealed override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var defect in cluster.Defects)
        {
            if (defect.RuleId != Info.Id) { continue; }
            findings.Report(Info, defect.Severity ?? Info.Severity, defect.Span, defect.Detail.Length > 0 ? $"{Message} {defect.Detail}" : Message, defect.Fix);
        }
    }
}
