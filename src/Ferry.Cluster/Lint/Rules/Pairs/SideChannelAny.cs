using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The side channel advertises 0.0.0.0.</summary>
internal sealed class SideChannelAny : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR015",
        Severity = LintSeverity.Warning,
        Title = "The side channel advertises 0.0.0.0",
        Why = "The bound address is also the advertised one: the consumer is told to dial 0.0.0.0. It works only behind a router that replaces " +
            "remote_host (production-stack does), and it opens an unauthenticated port on every interface.",
        Symptom = "Handshake failed: connection refused.",
        Fix = "Set the node's own routable IP.",
        Versions = "every version",
        Sources = ["vLLM #53018", "production-stack src/vllm_router (remote_host override)"],
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
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=0.0.0.0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (!engine.UsesNixl() || engine.Environment.Value(SideChannel.HostVariable) is not { } value || !SideChannel.IsAny(value.Value)) { return; }
        findings.Report(Info, value.Span, $"{SideChannel.HostVariable}={value.Value} is told to the peer as the address to dial. Set {engine.Name}'s own IP.");
    }
}
