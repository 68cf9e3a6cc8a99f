using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint;

/// <summary>A rule that compares a prefill with a decode engine, both vLLM.</summary>
internal abstract class PairRule : LintRule
{
    public sealed override void Check(ObservedCluster cluster, FindingSink findings)
    {
        // Eight decode engines beside four prefill engines are 32 pairs with one mistake: each decode engine is told once.
        var told = new HashSet<ObservedProcess>(ReferenceEqualityComparer.Instance);
        foreach (var pair in cluster.Pairs)
        {
            if (pair.Prefill.Kind == ProcessKind.VllmServe && pair.Decode.Kind == ProcessKind.VllmServe && !told.Contains(pair.Decode) &&
                Check(pair, findings))
            {
                told.Add(pair.Decode);
            }
        }
    }

    /// <summary>Reports what is wrong between the two; true if something was.</summary>
    protected abstract bool Check(ObservedPair pair, FindingSink findings);
}
