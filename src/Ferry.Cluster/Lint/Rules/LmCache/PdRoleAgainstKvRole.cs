using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdRoleAgainstKvRole : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC022",
        Severity = LintSeverity.Error,
        Title = "LMCache's PD role and vLLM's KV role contradict each other",
        Why = "A sender is filled by vLLM's save hooks, which a kv_consumer never calls; a receiver is read by load hooks, which a kv_producer does not use.",
        Symptom = "No KV moves; the decode node computes every prompt again, with HTTP 200.",
        Fix = "Pair sender with kv_producer and receiver with kv_consumer.",
        Versions = "vLLM with LMCacheConnectorV1, all versions",
        Sources = ["vllm/distributed/kv_transfer/kv_connector/v1/lmcache_integration/vllm_v1_adapter.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode -e LMCACHE_ENABLE_PD=True -e LMCACHE_PD_ROLE=receiver vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode -e LMCACHE_ENABLE_PD=True -e LMCACHE_PD_ROLE=receiver vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_producer"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("pd_role") is not { } role || process.KvTransfer?.Role is not { } kvRole) { return; }
        var contradicts = (LmCacheFacts.IsSender(process) && kvRole.Value == "kv_consumer") || (LmCacheFacts.IsReceiver(process) && kvRole.Value == "kv_producer");
        if (contradicts)
        {
            findings.Report(Info, role.Span, $"{role.Name.Value} is {role.Value.Value}, but vLLM's kv_role is {kvRole.Value} (line {kvRole.Span.Line}).");
        }
    }
}
