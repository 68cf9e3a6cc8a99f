using Ferry.Cluster.Lint.Capacity;
using Ferry.Cluster.Lint.Rules.LmCache;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>The pod's memory limit is below what LMCache pins.</summary>
internal sealed class PodMemoryLimit : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S008",
        Severity = LintSeverity.Error,
        Title = "The pod's memory limit is below what LMCache pins",
        Why = "LMCache's CPU pool is allocated once for every rank when the engine starts. A limit below ranks × max_local_cpu_size ends in the " +
            "OOM killer.",
        Symptom = "`OOMKilled` during start.",
        Fix = "Raise limits.memory, or lower LMCACHE_MAX_LOCAL_CPU_SIZE (GiB a rank).",
        Versions = "every version",
        Sources = ["LMCache lmcache/v1/config.py (max_local_cpu_size, GiB per worker)"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "4"]
                  args: ["--kv-transfer-config", '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}']
                  env: [{ name: LMCACHE_MAX_LOCAL_CPU_SIZE, value: "20.0" }, { name: PYTHONHASHSEED, value: "0" }]
                  resources: { limits: { amd.com/gpu: 4, memory: 160Gi } }
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "4"]
                  args: ["--kv-transfer-config", '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}']
                  env: [{ name: LMCACHE_MAX_LOCAL_CPU_SIZE, value: "20.0" }, { name: PYTHONHASHSEED, value: "0" }]
                  resources: { limits: { amd.com/gpu: 4, memory: 64Gi } }
            """),
    };

    private const double DefaultPoolGib = 5; // LMCache, max_local_cpu_size.

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Kubernetes is null || engine.KvTransfer?.LmCacheInProcess is null || engine.Ranks() is not { } ranks) { return; }
        var limit = engine.Kubernetes.Limits.FirstOrDefault(resource => resource.Name.Value == "memory").Value ?? engine.Container?.MemoryLimit;
        if (limit is null || MemoryText.TryBytes(limit.Value) is not { } bytes) { return; }
        var pool = engine.LmCache.Number("max_local_cpu_size", DefaultPoolGib) * (1L << 30) * ranks;
        if (pool < bytes) { return; }
        findings.Report(Info, limit.Span, $"{engine.Name} may use {limit.Value} of memory, and LMCache pins {EngineMemory.Gib(pool)} ({ranks} ranks) at start. Raise the limit above that and the engine's own memory, or lower LMCACHE_MAX_LOCAL_CPU_SIZE.");
    }
}
