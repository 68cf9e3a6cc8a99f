using System.Globalization;
using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Capacity;

/// <summary>A cache tier holds only a handful of prompts.</summary>
internal sealed class TierWorkingSet : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CAP003",
        Severity = LintSeverity.Warning,
        Title = "A cache tier holds only a handful of prompts",
        Why = "A tier below the working set evicts a prefix before it is asked for again. 20 GB hold 7.5 prompts of 8192 tokens of a 70B model " +
            "in bf16 (320 KiB a token); on a real conversation trace that is a hit ratio of 4 % where 37 % are possible.",
        Symptom = "`lmcache:cache_hit_rate near zero, evictions as fast as stores`.",
        Fix = "Give the tier room for the conversations that are alive at once, or leave it out.",
        Versions = "every version",
        Sources = [
            "LMCache lmcache/v1/config.py (max_local_cpu_size)",
            "kvcache-ai/Mooncake FAST25-release/traces/conversation_trace.jsonl",
        ],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_LOCAL_CPU=True -e LMCACHE_MAX_LOCAL_CPU_SIZE=200.0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 --max-model-len 8192 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_LOCAL_CPU=True -e LMCACHE_MAX_LOCAL_CPU_SIZE=5.0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 --max-model-len 8192 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    /// <summary>A prompt to count in when --max-model-len is not given.</summary>
    private const long DefaultPromptTokens = 8192;

    /// <summary>Where the device's own KV is not known: fewer whole prompts than this are no cache.</summary>
    private const double PromptsMin = 16;

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (EngineMemory.TokenBytesOf(engine) is not { } tokenBytes || engine.TensorParallel is not { } ranks) { return; }
        // In front of a store in some host's memory the CPU tier is a buffer; in front of S3, or alone, it is the cache.
        var isBuffer = engine.LmCache.Value("remote_url") is { } url
            ? !url.Value.StartsWith("s3://", StringComparison.OrdinalIgnoreCase)
            : engine.Environment.Has("LMCACHE_REMOTE_URL");
        if (!isBuffer && engine.LmCache.IsTrue("local_cpu", true)) { CheckTier(engine, "max_local_cpu_size", "CPU", tokenBytes, ranks, findings); }
        if (engine.LmCache.Find("local_disk") is not null) { CheckTier(engine, "max_local_disk_size", "disk", tokenBytes, ranks, findings); }
    }

    private void CheckTier(ObservedProcess engine, string key, string tier, long tokenBytes, int ranks, FindingSink findings)
    {
        if (engine.LmCache.Find(key) is not { } size || size.Value.TryDouble() is not (> 0 and { } gib)) { return; }
        var tokens = gib * (1L << 30) / tokenBytes;
        var prompt = engine.MaxModelLength() ?? DefaultPromptTokens;
        var deviceTokens = EngineMemory.Of(engine)?.KvTokens ?? 0;
        // With a store in memory behind it (an exchange, a Redis) the CPU tier only stages what is on its way: a whole prompt is enough.
        var isStaging = key == "max_local_cpu_size" && LmCache.LmCacheFacts.RemoteUrl(engine)?.Value.Value is { } url &&
            (url.StartsWith("redis", StringComparison.Ordinal) || url.StartsWith("lm:", StringComparison.Ordinal));
        if (isStaging ? tokens >= prompt : deviceTokens > 0 ? tokens >= deviceTokens : tokens / prompt >= PromptsMin) { return; }
        var scale = string.Create(CultureInfo.InvariantCulture, $"{tokens:0} tokens, {tokens / prompt:0.#} prompts of {prompt}");
        findings.Report(Info, size.Span, $"{size.Name.Value}={size.Value.Value}: the {tier} tier of {engine.Name} holds {scale}" +
            (deviceTokens > 0 ? $", less than the {deviceTokens} tokens of the accelerators' own KV cache" : "") +
            $". The value is GiB a rank ({ranks} {(ranks == 1 ? "rank" : "ranks")}: {(gib * ranks).ToString("0.#", CultureInfo.InvariantCulture)} GiB of the host). Raise it to the size of the conversations that are alive at once, or leave the tier out.");
    }
}
