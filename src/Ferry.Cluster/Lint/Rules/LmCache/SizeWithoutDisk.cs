using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class SizeWithoutDisk : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC013",
        Severity = LintSeverity.Warning,
        Title = "A disk size without a directory does nothing",
        Why = "The disk tier needs local_disk; max_local_disk_size alone switches nothing on.",
        Symptom = "None: no LocalDiskBackend in the list of backends that LMCache logs at start.",
        Fix = "Set local_disk to a directory, or remove the size.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/storage_backend/__init__.py"],
        GoodExample = RuleExample.EnvFile("LMCACHE_LOCAL_DISK=/nvme/lmcache\nLMCACHE_MAX_LOCAL_DISK_SIZE=100\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_MAX_LOCAL_DISK_SIZE=100\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("max_local_disk_size") is { } size && size.Value.TryDouble() is > 0 && LmCacheFacts.Disk(process) is null)
        {
            findings.Report(Info, size.Span, $"{size.Name.Value} is {size.Value.Value}, but {LmCacheFacts.Spell(process, "local_disk")} names no directory.");
        }
    }
}
