using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class DiskIndexInMemory : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC015",
        Severity = LintSeverity.Info,
        Title = "The disk tier does not survive a restart",
        Why = "LMCache keeps the index of its files in memory only, and the files have no header. After a restart nothing on disk is found, and the old files are neither counted nor deleted. Within a run entries stay until evicted: the cache is not lost with the request either.",
        Symptom = "No hits after a restart, and a directory that grows past its size with every one.",
        Fix = "Empty the directory when the engine starts. For KV that outlives the process use a remote tier, or Ferry's exchange, whose records carry headers and whose index is rebuilt.",
        Versions = "LMCache in vLLM's process (LMCacheConnectorV1), all versions",
        Sources = ["lmcache/v1/storage_backend/local_disk_backend.py", "LMCache issues #1454, #1788"],
        GoodExample = RuleExample.EnvFile("LMCACHE_LOCAL_CPU=True\nLMCACHE_MAX_LOCAL_CPU_SIZE=20\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_LOCAL_DISK=/nvme/lmcache\nLMCACHE_MAX_LOCAL_DISK_SIZE=100\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.HasDiskTier(process) && LmCacheFacts.Disk(process) is { } disk)
        {
            findings.Report(Info, disk.Span, $"What LMCache writes to {disk.Value.Value} is not found again after a restart, and is not deleted.");
        }
    }
}
