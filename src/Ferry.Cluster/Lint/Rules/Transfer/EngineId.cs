using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Two engines with one engine_id.</summary>
internal sealed class EngineId : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT020",
        Severity = LintSeverity.Error,
        Title = "Two engines with one engine_id",
        Why = "The id names the owner of blocks. With one id for two engines a consumer takes one engine's blocks for the other's.",
        Symptom = "`Remote NIXL agent engine ID mismatch`; or wrong KV.",
        Fix = "Leave engine_id out (it is random), or give each engine its own. Push mode needs a fixed one: make it name the node.",
        Versions = "every version",
        Sources = ["vLLM #27083", "vLLM vllm/config/kv_transfer.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","engine_id":"prefill-0"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","engine_id":"decode-0"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","engine_id":"llama"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","engine_id":"llama"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        var seen = new Dictionary<(int Group, string Id), (ObservedProcess Engine, SourceSpan Span)>();
        foreach (var engine in cluster.Engines)
        {
            if (engine.KvTransfer?.Json?.Find("engine_id") is not { Kind: DataKind.String, Text: { HasUnknown: false } id }) { continue; }
            if (engine.Kubernetes?.Replicas?.TryLong() is > 1 and { } replicas)
            {
                findings.Report(Info, id.Span, $"engine_id is \"{id.Value}\" for all {replicas} replicas of {engine.Name}. Leave it out, so that each takes a random one.");
            }
            if (!seen.TryAdd((engine.Group, id.Value), (engine, id.Span)))
            {
                var first = seen[(engine.Group, id.Value)];
                findings.Report(Info, id.Span, $"engine_id \"{id.Value}\" is also that of {first.Engine.Label()} ({first.Span.SeenFrom(engine)}). Leave it out, or give each engine its own.");
            }
        }
    }
}
