using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class RoleNeverSavesOrLoads : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC027",
        Severity = LintSeverity.Error,
        Title = "With this KV role LMCache only saves, or only loads",
        Why = "As kv_consumer the connector never saves: a decode node fills no tier. As kv_producer it reports no hits: a prefill node never reuses what is stored, and a plain request to it trips an assertion in PD mode. Only kv_both saves and loads, so a cache that all nodes share needs kv_both on all of them.",
        Symptom = "The bucket gets objects from one side only, and lmcache:num_hit_tokens stays 0 on the other.",
        Fix = "Set \"kv_role\":\"kv_both\" where tiers are meant to be shared.",
        Versions = "vLLM with LMCacheConnectorV1, all versions",
        Sources = ["vllm/distributed/kv_transfer/kv_connector/v1/lmcache_integration/vllm_v1_adapter.py (save hooks, get_num_new_matched_tokens)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.5:6379 vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        var tier = LmCacheFacts.RemoteUrl(process) ?? process.LmCache.Find("remote_storage_plugins") ?? (LmCacheFacts.HasDiskTier(process) ? LmCacheFacts.Disk(process) : null);
        if (tier is null || process.KvTransfer?.LmCacheInProcess is null && process.KvTransfer?.Role is null) { return; }
        var own = process.KvTransfer?.LmCacheInProcess?.Find("kv_role")?.Text ?? process.KvTransfer?.Role;
        if (own is null || own.Value is not ("kv_consumer" or "kv_producer")) { return; }
        var fix = own.TryExact() is { } exact && process.KvTransfer?.LmCacheInProcess is not null && !LmCacheFacts.IsPd(process) ? new[] { new Sources.TextEdit(exact, "kv_both") } : [];
        findings.Report(Info, own.Span, own.Value == "kv_consumer"
            ? $"As kv_consumer LMCache never saves, so this node puts nothing into {tier.Name.Value} (line {tier.Span.Line})."
            : $"As kv_producer LMCache never loads, so this node reuses nothing of {tier.Name.Value} (line {tier.Span.Line}).", fix);
    }
}
