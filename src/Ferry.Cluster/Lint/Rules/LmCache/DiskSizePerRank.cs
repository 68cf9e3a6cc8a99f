using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class DiskSizePerRank : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC011",
        Severity = LintSeverity.Info,
        Title = "The disk cache size counts for each tensor-parallel rank",
        Why = "Every worker process keeps its own files up to max_local_disk_size GiB. With 4 ranks a \"100 GB\" disk tier is 400 GiB, and files that an earlier run left are never counted nor deleted.",
        Symptom = "`OSError: [Errno 28] No space left on device` from LocalDiskBackend after days.",
        Fix = "Divide the space that the node should give by the number of ranks, and empty the directory before the engine starts.",
        Versions = "LMCache in vLLM's process (LMCacheConnectorV1), all versions",
        Sources = ["lmcache/v1/storage_backend/local_disk_backend.py", "LMCache issue #1454"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode -v /nvme/lmcache:/cache -e LMCACHE_LOCAL_DISK=/cache -e LMCACHE_MAX_LOCAL_DISK_SIZE=100 vllm/vllm-openai:v0.14.0 \
              --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode -v /nvme/lmcache:/cache -e LMCACHE_LOCAL_DISK=/cache -e LMCACHE_MAX_LOCAL_DISK_SIZE=100 vllm/vllm-openai:v0.14.0 \
              --model meta-llama/Llama-3.1-70B-Instruct -tp 4 --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("max_local_disk_size") is not { } setting || setting.Value.TryDouble() is not { } size || size <= 0 || process.TensorParallel is not > 1) { return; }
        findings.Report(Info, setting.Span, $"{setting.Name.Value} is {size:0.##} GiB for each of {process.TensorParallel} ranks: {size * process.TensorParallel.Value:0.##} GiB of disk on this node.");
    }
}
