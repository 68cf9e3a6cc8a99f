using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class ForceSkipSave : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC046",
        Severity = LintSeverity.Error,
        Title = "LMCACHE_FORCE_SKIP_SAVE is on with any value, also 0 and false",
        Why = "The adapter asks only whether the variable holds any text. \"0\" and \"false\" switch saving off as \"1\" does.",
        Symptom = "Nothing is ever stored; no error.",
        Fix = "Remove the variable.",
        Versions = "vLLM's LMCache adapter, all versions",
        Sources = ["vllm/distributed/kv_transfer/kv_connector/v1/lmcache_integration/vllm_v1_adapter.py"],
        GoodExample = RuleExample.Shell("docker run -d --name decode vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode -e LMCACHE_FORCE_SKIP_SAVE=0 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Environment.Find("LMCACHE_FORCE_SKIP_SAVE") is { Value: { Value.Length: > 0 } value } setting)
            {
                var isMeantOff = value.Value is "0" || value.Value.Equals("false", StringComparison.OrdinalIgnoreCase);
                findings.Report(Info, isMeantOff ? LintSeverity.Error : LintSeverity.Warning, setting.Span,
                    isMeantOff ? $"LMCACHE_FORCE_SKIP_SAVE={value.Value} switches saving off: any text does." : "LMCACHE_FORCE_SKIP_SAVE switches saving off on this node.");
            }
        }
    }
}
