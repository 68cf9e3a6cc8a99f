using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class HashSeedCrashesDaemon : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC031",
        Severity = LintSeverity.Error,
        Title = "The hash seed of an LMCache daemon in an image with vLLM",
        Why = "The daemon first asks vLLM for the first link of the hash chain. In an image with vLLM and no PYTHONHASHSEED that is 32 random bytes at each start, so disk and S3 contents are lost to it; a seed of three digits makes bytes of a wrong type and crashes it. \"0\" leads to its own constant.",
        Symptom = "No hits from L2 after a restart; or `TypeError` at start.",
        Fix = "Set PYTHONHASHSEED=0 for the daemon.",
        Versions = "LMCache MP server of 2026 in images that hold vLLM",
        Sources = ["lmcache/v1/multiprocess/token_hasher.py"],
        GoodExample = RuleExample.Shell("docker run -d --name lmcache -e PYTHONHASHSEED=0 lmcache/vllm-openai:v0.4.3 lmcache server --l1-size-gb 64 --eviction-policy LRU\n"),
        BadExample = RuleExample.Shell("docker run -d --name lmcache -e PYTHONHASHSEED=123 lmcache/vllm-openai:v0.4.3 lmcache server --l1-size-gb 64 --eviction-policy LRU\n"),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes.Where(process => process.Kind == ProcessKind.LmCacheServer && process.Arguments.Words.Any(word => word.Value.StartsWith("--l1", StringComparison.Ordinal))))
        {
            var hasVllm = process.Container?.Image?.Value.Contains("vllm", StringComparison.OrdinalIgnoreCase) is true;
            var seed = process.Environment.Find("PYTHONHASHSEED");
            if (seed is { Value: { HasUnknown: false, Value.Length: 3 } value })
            {
                findings.Report(Info, seed.Span, $"PYTHONHASHSEED is '{value.Value}': a seed of three characters crashes the daemon. Use 0.");
            }
            else if (seed is null && hasVllm)
            {
                findings.Report(Info, LintSeverity.Warning, process.HeadSpan, $"{process.Name} runs in an image with vLLM and has no PYTHONHASHSEED: its stored entries are unusable after a restart.");
            }
        }
    }
}
