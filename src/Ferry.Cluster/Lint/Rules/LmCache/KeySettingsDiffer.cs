using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class KeySettingsDiffer : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC041",
        Severity = LintSeverity.Error,
        Title = "A setting that is part of LMCache's keys differs between nodes",
        Why = "A key holds the model string, the world size, the rank, the hash of a whole chunk and the KV dtype. Nodes that differ in one of them, in chunk_size or in the hash algorithm, never find each other's entries.",
        Symptom = "0 hits from the other node's entries, without an error.",
        Fix = "Use the same model string, --tensor-parallel-size, KV dtype, chunk_size and pre_caching_hash_algorithm everywhere; or share through Ferry's exchange, which re-shards and re-keys.",
        Versions = "LMCache, all versions; the MP keys lack the dtype (see FERRY-LMC042)",
        Sources = ["lmcache/utils.py, CacheEngineKey", "lmcache/v1/token_database.py"],
        GoodExample = RuleExample.Compose(Two(256)),
        BadExample = RuleExample.Compose(Two(512)),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Groups)
        {
            ObservedProcess[] sharing = [.. cluster.InGroup(group).Where(process => process.IsEngine && process.LmCache.Any && LmCacheFacts.IsShared(process))];
            // Ferry's exchange cuts and converts: there ranks and dtypes may differ.
            var isConverted = cluster.InGroup(group).Any(process => process.Kind == ProcessKind.FerryCache && process.Arguments.Value("--convert")?.Value is not "off");
            foreach (var process in sharing.Skip(1))
            {
                Compare(sharing[0], process, "chunk_size", Setting(sharing[0], "chunk_size"), Setting(process, "chunk_size"), "256", findings);
                Compare(sharing[0], process, "pre_caching_hash_algorithm", Setting(sharing[0], "pre_caching_hash_algorithm"), Setting(process, "pre_caching_hash_algorithm"), "builtin", findings);
                Compare(sharing[0], process, "the model string", sharing[0].Model, process.Model, null, findings);
                if (!isConverted)
                {
                    Compare(sharing[0], process, "--tensor-parallel-size", Flag(sharing[0], "--tensor-parallel-size", "-tp"), Flag(process, "--tensor-parallel-size", "-tp"), "1", findings);
                    Compare(sharing[0], process, "--kv-cache-dtype", Flag(sharing[0], "--kv-cache-dtype"), Flag(process, "--kv-cache-dtype"), "auto", findings);
                }
                Compare(sharing[0], process, "save_unfull_chunk", Setting(sharing[0], "save_unfull_chunk"), Setting(process, "save_unfull_chunk"), null, findings);
            }
        }
    }

    private static SourcedText? Setting(ObservedProcess process, string key) => process.LmCache.Value(key);

    private static SourcedText? Flag(ObservedProcess process, params ReadOnlySpan<string> names) => process.Arguments.Value(names);

    private void Compare(ObservedProcess first, ObservedProcess second, string what, SourcedText? left, SourcedText? right, string? unset, FindingSink findings)
    {
        var leftValue = left?.Value ?? unset;
        var rightValue = right?.Value ?? unset;
        if (leftValue is null || rightValue is null || leftValue.Equals(rightValue, StringComparison.OrdinalIgnoreCase) && what != "the model string" || leftValue == rightValue ||
            left?.HasUnknown is true || right?.HasUnknown is true)
        {
            return;
        }
        var span = right?.Span ?? left!.Span;
        findings.Report(Info, span, $"{what} is {rightValue} for {second.Name} and {leftValue} for {first.Name}; it is part of LMCache's keys, so neither finds what the other stores.");
    }

    private static string Two(int second) => $$"""
        services:
          prefill:
            image: vllm/vllm-openai:v0.14.0
            environment:
              PYTHONHASHSEED: "0"
              LMCACHE_REMOTE_URL: redis://store:6379
              LMCACHE_CHUNK_SIZE: "256"
          decode:
            image: vllm/vllm-openai:v0.14.0
            environment:
              PYTHONHASHSEED: "0"
              LMCACHE_REMOTE_URL: redis://store:6379
              LMCACHE_CHUNK_SIZE: "{{second}}"
        """;
}
