using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class DeadName : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC005",
        Severity = LintSeverity.Error,
        Title = "A setting that LMCache no longer reads",
        Why = "Older guides, and examples in vLLM's own tree, carry names that are gone from LMCache's table. As variables they are not even looked up.",
        Symptom = "Nothing for a variable; `Unknown configuration key` for YAML. What the setting switched on stays off.",
        Fix = "Use what took its place, or remove it.",
        Versions = "LMCache 0.3.9 and later",
        Sources = ["lmcache/v1/config.py, _CONFIG_DEFINITIONS and _DEPRECATED_CONFIGS", "vLLM issue #22532"],
        GoodExample = RuleExample.EnvFile("LMCACHE_CHUNK_SIZE=256\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_USE_EXPERIMENTAL=True\nLMCACHE_CHUNK_SIZE=256\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            if (LmCacheKeys.TryGone(setting.Key) is { } instead)
            {
                findings.Report(Info, setting.Name.Span, $"{setting.Name.Value} is no longer read: {instead}.");
            }
        }
    }
}
