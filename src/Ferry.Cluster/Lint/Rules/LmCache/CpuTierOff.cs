using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class CpuTierOff : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC018",
        Severity = LintSeverity.Error,
        Title = "Without CPU memory the other tiers cannot stage",
        Why = "Every chunk passes through the pinned pool on its way to disk or a remote store. max_local_cpu_size 0 makes no pool; local_cpu false keeps the pool as staging memory and only drops the hot cache.",
        Symptom = "`AssertionError` while backends are created, or every store fails to allocate.",
        Fix = "Give max_local_cpu_size a few GiB; set local_cpu to false if only the staging is wanted.",
        Versions = "LMCache 0.4",
        Sources = ["lmcache/v1/storage_backend/__init__.py, CreateStorageBackends", "LMCache issue #2942"],
        GoodExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_LOCAL_CPU=False\nLMCACHE_MAX_LOCAL_CPU_SIZE=4\nLMCACHE_REMOTE_URL=redis://10.0.0.5:6379\n"),
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_LOCAL_CPU=False\nLMCACHE_MAX_LOCAL_CPU_SIZE=0\nLMCACHE_REMOTE_URL=redis://10.0.0.5:6379\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.IsPd(process) || process.LmCache.Find("max_local_cpu_size") is not { } size || size.Value.TryDouble() is not <= 0) { return; }
        var tier = LmCacheFacts.HasDiskTier(process) ? LmCacheFacts.Disk(process) : LmCacheFacts.RemoteUrl(process);
        if (tier is not null)
        {
            findings.Report(Info, size.Span, $"{size.Name.Value} is {size.Value.Value}: {tier.Name.Value} (line {tier.Span.Line}) has no memory to stage its chunks in.");
        }
    }
}
