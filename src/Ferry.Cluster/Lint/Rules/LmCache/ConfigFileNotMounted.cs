using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class ConfigFileNotMounted : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC048",
        Severity = LintSeverity.Warning,
        Title = "LMCACHE_CONFIG_FILE names a path that nothing is mounted at",
        Why = "The path is one in the container. If the image does not hold the file, LMCache fails to open it, or an older release goes on with defaults.",
        Symptom = "`FileNotFoundError` at start, or `LMCACHE_CONFIG_FILE is not set` and default sizes.",
        Fix = "Mount the file there: -v \"$PWD/lmcache.yaml:/etc/lmcache.yaml:ro\".",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/integration/vllm/utils.py, lmcache_get_config", "LMCache issue #1244"],
        GoodExample = RuleExample.Shell("docker run -d --name decode -v /etc/lmcache.yaml:/etc/lmcache.yaml:ro -e LMCACHE_CONFIG_FILE=/etc/lmcache.yaml vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode -e LMCACHE_CONFIG_FILE=/etc/lmcache.yaml vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Container is not { } container || process.Environment.Find("LMCACHE_CONFIG_FILE") is not { Value: { HasUnknown: false } path } setting || !path.Value.StartsWith('/')) { continue; }
            if (!container.Volumes.Any(volume => volume.Holds(path.Value)))
            {
                findings.Report(Info, setting.Span, $"{path.Value} is a path in the container, and no volume of {process.Name} holds it.");
            }
        }
    }
}
