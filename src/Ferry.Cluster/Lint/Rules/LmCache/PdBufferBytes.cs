using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdBufferBytes : LmCacheRule
{
    /// <summary>One chunk of a small model is some MiB; below this the writer meant another unit.</summary>
    private const long SmallestUseful = 1 << 20;

    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC025",
        Severity = LintSeverity.Error,
        Title = "pd_buffer_size is in bytes",
        Why = "The other sizes of LMCache are GiB; this one is bytes. A buffer of 2 bytes holds no chunk, and the receiver retries its allocation for ever while it blocks every sender.",
        Symptom = "The prefill side hangs at the first prompt; the receiver's log repeats that allocation fails.",
        Fix = "Write bytes: 2147483648 is 2 GiB.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/config.py", "lmcache/v1/storage_backend/pd_backend.py"],
        GoodExample = RuleExample.EnvFile("LMCACHE_PD_BUFFER_SIZE=2147483648\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_PD_BUFFER_SIZE=2\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("pd_buffer_size") is { } size && size.Value.TryLong() is { } bytes && bytes < SmallestUseful)
        {
            findings.Report(Info, size.Value.Span, $"{size.Name.Value} is {bytes} bytes, less than one chunk. {bytes} GiB would be {bytes * (1L << 30)}.");
        }
    }
}
