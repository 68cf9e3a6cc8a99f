using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint;

/// <summary>A rule that looks at one vLLM engine at a time.</summary>
internal abstract class EngineRule : LintRule
{
    public sealed override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var engine in cluster.Engines)
        {
            if (engine.Kind == ProcessKind.VllmServe) { Check(engine, findings); }
        }
    }

    protected abstract void Check(ObservedProcess engine, FindingSink findings);
}
