using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdPrerequisites : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC016",
        Severity = LintSeverity.Error,
        Title = "LMCache's prefill-decode mode misses settings that it needs",
        Why = "enable_pd asserts pd_role, pd_buffer_size (bytes) and pd_buffer_device. A receiver needs pd_peer_host, pd_peer_init_port and pd_peer_alloc_port (one port for each rank); a sender needs pd_proxy_host and pd_proxy_port, for it announces every finished prompt to a proxy.",
        Symptom = "A bare `AssertionError` in _validate_config at start, without a message; a missing port fails later in PDBackend.",
        Fix = "Add the settings that the finding names.",
        Versions = "LMCache with pd_… names (0.3.9 and later)",
        Sources = ["lmcache/v1/config.py, _validate_config", "lmcache/v1/storage_backend/pd_backend.py", "LMCache issues #1106, #2511"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill -e PYTHONHASHSEED=0 -e LMCACHE_ENABLE_PD=True -e LMCACHE_PD_ROLE=sender -e LMCACHE_TRANSFER_CHANNEL=nixl \
              -e LMCACHE_PD_BUFFER_SIZE=2147483648 -e LMCACHE_PD_BUFFER_DEVICE=cpu -e LMCACHE_PD_PROXY_HOST=10.0.0.9 -e LMCACHE_PD_PROXY_PORT=7500 \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_producer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill -e PYTHONHASHSEED=0 -e LMCACHE_ENABLE_PD=True -e LMCACHE_PD_ROLE=sender -e LMCACHE_TRANSFER_CHANNEL=nixl \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_producer"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (!LmCacheFacts.IsPd(process) || process.LmCache.Find("enable_pd") is not { } enable) { return; }
        List<string> needed = ["pd_role", "pd_buffer_size", "pd_buffer_device", "transfer_channel"];
        if (LmCacheFacts.IsReceiver(process)) { needed.AddRange(["pd_peer_host", "pd_peer_init_port", "pd_peer_alloc_port"]); }
        if (LmCacheFacts.IsSender(process) && !process.LmCache.IsTrue("pd_skip_proxy_notification", false)) { needed.AddRange(["pd_proxy_host", "pd_proxy_port"]); }
        string[] missing = [.. needed.Where(key => process.LmCache.Find(key) is null).Select(key => LmCacheFacts.Spell(process, key))];
        if (missing.Length == 0) { return; }
        var role = process.LmCache.Value("pd_role")?.Value;
        findings.Report(Info, enable.Span, $"{enable.Name.Value} is on{(role is null ? "" : $" with role {role}")}, but {string.Join(", ", missing)} {(missing.Length == 1 ? "is" : "are")} not set.");
    }
}
