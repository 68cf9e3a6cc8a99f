using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class DiskWithoutSize : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC012",
        Severity = LintSeverity.Error,
        Title = "A disk directory without a size: the disk tier is off",
        Why = "LMCache makes the disk tier only if local_disk is set and max_local_disk_size is above 0, which is its default.",
        Symptom = "None: no LocalDiskBackend in the list of backends that LMCache logs at start.",
        Fix = "Set max_local_disk_size, in GiB for each rank.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/storage_backend/__init__.py (if config.local_disk and config.max_local_disk_size > 0)", "LMCache issue #2205"],
        GoodExample = RuleExample.EnvFile("LMCACHE_LOCAL_DISK=/nvme/lmcache\nLMCACHE_MAX_LOCAL_DISK_SIZE=100\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_LOCAL_DISK=/nvme/lmcache\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.Disk(process) is not { } disk || disk.Value.Value is "false" or "False") { return; }
        if (process.LmCache.Find("max_local_disk_size") is not { } size)
        {
            findings.Report(Info, disk.Span, $"{disk.Name.Value} is set, {LmCacheFacts.Spell(process, "max_local_disk_size")} is not: its default 0 switches the disk tier off.");
        }
        else if (size.Value.TryDouble() is <= 0)
        {
            findings.Report(Info, size.Span, $"{size.Name.Value} is {size.Value.Value}, which switches the disk tier of {disk.Name.Value} (line {disk.Span.Line}) off.");
        }
    }
}
