using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class MpIgnoresSettings : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC047",
        Severity = LintSeverity.Error,
        Title = "The MP connector and its daemon read no LMCACHE_ settings",
        Why = "With LMCacheMPConnector the cache is a daemon of its own, `lmcache server`, which takes its sizes and stores from its command line: --chunk-size, --l1-size-gb, --l2-adapter. Variables and the YAML configure LMCacheConnectorV1 only.",
        Symptom = "None; the daemon runs with its own flags.",
        Fix = "Move the values to the flags of lmcache server and remove the variables.",
        Versions = "LMCache MP mode of 2026",
        Sources = ["docs.lmcache.ai, multiprocess mode", "lmcache/v1/multiprocess/server.py"],
        GoodExample = RuleExample.Shell("lmcache server --chunk-size 256 --l1-size-gb 64 --eviction-policy LRU\n"),
        BadExample = RuleExample.Shell("export LMCACHE_CHUNK_SIZE=256\nlmcache server --l1-size-gb 64 --eviction-policy LRU\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        var isDaemon = process.Kind == ProcessKind.LmCacheServer && process.Arguments.Words.Any(word => word.Value.StartsWith("--l1", StringComparison.Ordinal));
        var isMpOnly = process.KvTransfer is { LmCache: not null, LmCacheInProcess: null };
        if (!isDaemon && !isMpOnly) { return; }
        var names = string.Join(", ", process.LmCache.All.Take(4).Select(setting => setting.Name.Value)) + (process.LmCache.All.Count > 4 ? $" and {process.LmCache.All.Count - 4} more" : "");
        findings.Report(Info, process.LmCache.All[0].Span, isDaemon
            ? $"lmcache server reads none of {names}; it takes flags."
            : $"LMCacheMPConnector reads none of {names}; the daemon takes flags.");
    }
}
