using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Fp8 KV of an MI300X has no code in LMCache's remote format.</summary>
internal sealed class FnuzThroughLmCache : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-ROCM003",
        Severity = LintSeverity.Error,
        Title = "fp8 KV of an MI300X has no code in LMCache's remote format",
        Why = "The header of lm://, redis:// and fs:// has codes for e4m3fn and e5m2; MI300X keeps e4m3fnuz, for which there is none.",
        Symptom = "`KeyError: torch.float8_e4m3fnuz` when a chunk is stored.",
        Fix = "Use --kv-cache-dtype auto, or a store whose keys and records name the dtype.",
        Versions = "LMCache up to and including 0.4",
        Sources = ["LMCache lmcache/v1/protocol.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype auto \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-cache-dtype fp8 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    private static readonly string[] Schemes = ["lm://", "redis://", "rediss://", "redis-sentinel://", "redis-cluster://", "valkey://", "fs://"];

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || !engine.HasFp8Kv() || engine.KvTransfer?.LmCacheInProcess is null || engine.LmCache.Value("remote_url") is not { } url) { return; }
        if (!Schemes.Any(scheme => url.Value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))) { return; }
        findings.Report(Info, engine.KvCacheDType()!.Span, $"{engine.Name} keeps fp8 e4m3fnuz, for which {url.Value.Split("://", 2)[0]}:// has no code: storing the first chunk fails. Write --kv-cache-dtype auto.", Edits.Replace(engine.KvCacheDType()!, "auto"));
    }
}
