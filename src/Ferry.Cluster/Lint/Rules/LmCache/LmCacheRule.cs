using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

/// <summary>A rule over each process that has settings of LMCache (whether or not anything loads it: LMC001 says that).</summary>
internal abstract class LmCacheRule : LintRule
{
    public sealed override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            // Ferry takes the same names, with limits and an index of its own, and checks them itself.
            var isFerry = process.Kind is ProcessKind.FerryServe or ProcessKind.FerryCache or ProcessKind.FerryRoute;
            if (process.LmCache.Any && !isFerry) { Check(process, cluster, findings); }
        }
    }

    protected abstract void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings);
}
