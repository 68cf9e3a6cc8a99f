using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>A shared LMCache store between unlike tensor-parallel sizes.</summary>
internal sealed class SharedStoreRanks : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR023",
        Severity = LintSeverity.Warning,
        Title = "A shared LMCache store between unlike tensor-parallel sizes",
        Why = "LMCache's keys hold world_size and rank, and a chunk holds that rank's heads alone: a store shared by engines of 8 and of 4 " +
            "ranks has no hit between them.",
        Symptom = "`lmcache:num_hit_tokens` stays at 0 on one side.",
        Fix = "Use the same --tensor-parallel-size, or an exchange that re-shards.",
        Versions = "LMCache all",
        Sources = ["LMCache #1142", "LMCache #1629"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 -e PT_HPU_GPU_MIGRATION=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 8 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_REMOTE_URL=redis://10.0.0.9:6379 -e PT_HPU_GPU_MIGRATION=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 4 \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var group in cluster.Engines.Where(engine => engine.KvTransfer?.LmCache is not null && engine.TensorParallel is not null).GroupBy(engine => engine.Group))
        {
            ObservedProcess[] engines = [.. group];
            var first = engines[0];
            var isShared = engines.All(engine => engine.LmCache.Find("remote_url", "remote_storage_plugins") is not null);
            // Ferry's exchange cuts the shards anew between its clients.
            var isConverted = cluster.InGroup(group.Key).Any(process => process.Kind == ProcessKind.FerryCache);
            if (!isShared || isConverted) { continue; }
            foreach (var other in engines.Skip(1).Where(engine => engine.TensorParallel != first.TensorParallel))
            {
                findings.Report(Info, TensorParallelSpan.Of(other),
                    $"tensor-parallel size is {other.TensorParallel} on {other.Name} and {first.TensorParallel} on {first.Name} ({TensorParallelSpan.Of(first).SeenFrom(other)}): LMCache keys its chunks by size and rank, so neither finds the other's. " +
                    "Use the same size, or a store that re-shards (ferry cache).");
            }
        }
    }
}
