using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint;

/// <summary>One check over all files together. Stateless; never throws on what a user may write.</summary>
internal abstract class LintRule
{
    public abstract RuleInfo Info { get; }

    /// <summary>Reports what is wrong in <paramref name="cluster"/>.</summary>
    public abstract void Check(ObservedCluster cluster, FindingSink findings);
}
