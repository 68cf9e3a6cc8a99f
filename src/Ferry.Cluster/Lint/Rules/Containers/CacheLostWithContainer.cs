using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>The disk cache lies inside the container.</summary>
internal sealed class CacheLostWithContainer : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR009",
        Severity = LintSeverity.Warning,
        Title = "The disk cache lies inside the container",
        Why = "A path that no volume backs is in the container's own layer: it is slow (copy on write), fills the host's Docker directory and " +
            "is lost with the container.",
        Symptom = "An empty cache after every docker rm; no space left on device under /var/lib/docker.",
        Fix = "Mount a host directory of a fast disk there: -v /mnt/nvme/lmcache:/tmp/lmcache.",
        Versions = "every version",
        Sources = ["LMCache lmcache/v1/storage_backend/local_disk_backend.py", "LMCache #1454"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -v /mnt/nvme/lmcache:/tmp/lmcache \
              -e LMCACHE_LOCAL_DISK=/tmp/lmcache -e LMCACHE_MAX_LOCAL_DISK_SIZE=100 -e PYTHONHASHSEED=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e LMCACHE_LOCAL_DISK=/tmp/lmcache -e LMCACHE_MAX_LOCAL_DISK_SIZE=100 -e PYTHONHASHSEED=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Container is not { } container || engine.LmCache.Find("local_disk") is not { Value: { HasUnknown: false } value } setting) { return; }
        var path = value.Value.StartsWith("file://", StringComparison.Ordinal) ? value.Value["file://".Length..] : value.Value;
        path = path.TrimEnd('/');
        if (!path.StartsWith('/') || engine.LmCache.Number("max_local_disk_size", 0) <= 0) { return; }
        if (container.Volumes.Any(volume => volume.IsLasting && volume.Holds(path))) { return; }
        var isEphemeral = container.Volumes.FirstOrDefault(volume => volume.Holds(path));
        findings.Report(Info, setting.Span, $"{setting.Name.Value}={value.Value} lies {(isEphemeral is null ? "inside the container of " + engine.Name : $"on {isEphemeral.Source}")} and is lost with {(engine.Kubernetes is null ? "it" : "the pod")}. " +
            (engine.Kubernetes is null ? $"Mount a fast disk there: -v /mnt/nvme/lmcache:{path}." : $"Mount a hostPath or a persistentVolumeClaim at {path}."));
    }
}
