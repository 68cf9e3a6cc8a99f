using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class HashSeedMissing : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC029",
        Severity = LintSeverity.Error,
        Title = "PYTHONHASHSEED is not set, so no two processes make the same keys",
        Why = "The chain of chunk hashes begins at a value that vLLM derives from PYTHONHASHSEED, or takes from random bytes when it is unset. Scheduler, workers and every other node then have different keys for the same tokens.",
        Symptom = "`PYTHONHASHSEED is not set. This will cause incorrect KV cache transfer` with PD; with a shared store 0 hits, without an error.",
        Fix = "Set PYTHONHASHSEED=0 on every engine, lookup server and cache daemon.",
        Versions = "LMCache in vLLM's process with every hash algorithm; vLLM prefix hashes shared over nodes",
        Sources = ["vllm/v1/core/kv_cache_utils.py, init_none_hash", "LMCache issues #1095, #1139, #1739, #2596", "vLLM issue #42625"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode \
              -e PYTHONHASHSEED=0 \
              -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode \
              -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        // LMCache's YAML alone says nothing of the environment.
        var isYamlAlone = process.IsFragment && process.Environment.All.Count == 0;
        if (isYamlAlone || !LmCacheFacts.IsShared(process) || process.Environment.Has("PYTHONHASHSEED")) { return; }
        var reason = LmCacheFacts.RemoteUrl(process) ?? process.LmCache.Find("enable_pd") ?? process.LmCache.All[0];
        var fix = process.Environment.All.FirstOrDefault(setting => setting.Name.Span == reason.Name.Span) is { } setting ? LmCacheFacts.InsertBeside(setting, "PYTHONHASHSEED", "0") : [];
        findings.Report(Info, reason.Span, $"{process.Name} shares KV by {reason.Name.Value}, but PYTHONHASHSEED is not set: its keys change with every start.", fix);
    }
}
