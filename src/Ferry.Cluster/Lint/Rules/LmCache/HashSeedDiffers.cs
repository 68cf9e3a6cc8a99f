using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class HashSeedDiffers : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC030",
        Severity = LintSeverity.Error,
        Title = "PYTHONHASHSEED differs between nodes, or is random",
        Why = "The seed is the first link of the chain of chunk hashes: with different seeds the same tokens have different keys on each node. The word random seeds every process anew.",
        Symptom = "0 hits from the other node's entries, without an error.",
        Fix = "Set the same number, such as 0, on every process that shares KV.",
        Versions = "LMCache and vLLM, all versions",
        Sources = ["vllm/v1/core/kv_cache_utils.py, init_none_hash", "docs.python.org, PYTHONHASHSEED"],
        GoodExample = RuleExample.Compose(Two("0")),
        BadExample = RuleExample.Compose(Two("1")),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Groups)
        {
            EnvironmentSetting? first = null;
            foreach (var process in cluster.InGroup(group).Where(process => process.IsEngine || process.Kind == ProcessKind.LmCacheServer))
            {
                if (process.Environment.Find("PYTHONHASHSEED") is not { Value: { HasUnknown: false } seed } setting) { continue; }
                if (!uint.TryParse(seed.Value, out _))
                {
                    findings.Report(Info, setting.Span, $"PYTHONHASHSEED is '{seed.Value}'; it must be a number from 0 to 4294967295.");
                    continue;
                }
                first ??= setting;
                if (first.Value!.Value != seed.Value)
                {
                    findings.Report(Info, setting.Span, $"PYTHONHASHSEED is {seed.Value} for {process.Name} and {first.Value.Value} in {first.Span.File.Path} line {first.Span.Line}; no key of one is found by the other.");
                }
            }
        }
    }

    private static string Two(string second) => $$"""
        services:
          prefill:
            image: vllm/vllm-openai:v0.14.0
            environment:
              PYTHONHASHSEED: "0"
          decode:
            image: vllm/vllm-openai:v0.14.0
            environment:
              PYTHONHASHSEED: "{{second}}"
        """;
}
