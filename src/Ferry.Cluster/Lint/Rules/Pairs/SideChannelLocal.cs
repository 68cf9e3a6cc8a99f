using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The side channel is bound to localhost.</summary>
internal sealed class SideChannelLocal : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR014",
        Severity = LintSeverity.Error,
        Title = "The side channel is bound to localhost",
        Why = "Unset, VLLM_NIXL_SIDE_CHANNEL_HOST is localhost: the listener is not reachable from another host, and the decode node that dials " +
            "localhost finds its own engine.",
        Symptom = "`Remote NIXL agent engine ID mismatch`; or a handshake time-out.",
        Fix = "Set VLLM_NIXL_SIDE_CHANNEL_HOST to the node's own routable IP.",
        Versions = "every version",
        Sources = ["vLLM #27083"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var engine in cluster.Engines)
        {
            if (engine.Kind != ProcessKind.VllmServe || !engine.UsesNixl()) { continue; }
            var setting = engine.Environment.Find(SideChannel.HostVariable);
            if (setting is not null && (setting.Value is null || !SideChannel.IsLocal(setting.Value.Value))) { continue; }
            // Engines of one machine, each with a port of its own, find each other on localhost.
            if (IsOneMachine(cluster, engine.Group)) { continue; }
            findings.Report(Info, setting?.Value?.Span ?? engine.TransferSpan(),
                $"{SideChannel.HostVariable} of {engine.Label()} is {(setting is null ? "not set, so localhost" : setting.Value!.Value)}: no other host reaches it. Set the node's own IP{(engine.Kubernetes is null ? "" : " (status.podIP)")}.");
        }
    }

    private static bool IsOneMachine(ObservedCluster cluster, int group)
    {
        ObservedProcess[] engines = [.. cluster.Engines.Where(engine => engine.Group == group && engine.UsesNixl())];
        return engines.Length > 1 && engines.All(engine => engine.Container?.IsHostNetwork != false) &&
            engines.All(engine => engine.Environment.Find(SideChannel.HostVariable) is not { } setting || (setting.Value is { } host && SideChannel.IsLocal(host.Value))) &&
            engines.Select(SideChannel.PortOf).Distinct().Count() == engines.Length;
    }
}
