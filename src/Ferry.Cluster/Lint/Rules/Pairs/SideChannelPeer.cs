using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Pairs;

/// <summary>The decode node's side channel is bound to the prefill node's address.</summary>
internal sealed class SideChannelPeer : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-PAIR013",
        Severity = LintSeverity.Error,
        Title = "The decode node's side channel is bound to the prefill node's address",
        Why = "VLLM_NIXL_SIDE_CHANNEL_HOST is the address that this engine's own listener binds and advertises, in every role; the decode node " +
            "learns the prefill node's from the request. Binding an address that the host does not have fails in a daemon thread, and the " +
            "engine waits for it for ever.",
        Symptom = "The decode server hangs at start; `zmq.error.ZMQError: Cannot assign requested address`.",
        Fix = "Set each node's own routable IP. The same port on two hosts is fine.",
        Versions = "vLLM 0.11 and later",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl (nixl_handshake_listener)", "vLLM #27083"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.Decode.UsesNixl() || pair.Decode.Environment.Value(SideChannel.HostVariable) is not { } decode || pair.Prefill.Environment.Value(SideChannel.HostVariable) is not { } prefill) { return false; }
        // "$NODE_IP" is another value on each host; "<prefill-node-ip>" is one.
        if (decode.Value != prefill.Value || decode.Value.Contains('$', StringComparison.Ordinal) || SideChannel.IsLocal(decode.Value) || SideChannel.IsAny(decode.Value)) { return false; }
        var isSamePort = SideChannel.PortOf(pair.Decode) == SideChannel.PortOf(pair.Prefill);
        // Two engines of one host have one address and two ports.
        if (!isSamePort && !pair.IsCrossVendor) { return false; }
        findings.Report(Info, isSamePort ? LintSeverity.Error : LintSeverity.Warning, decode.Span,
            $"{SideChannel.HostVariable}={decode.Value} is {pair.Prefill.Label()}'s address ({prefill.Span.SeenFrom(pair.Decode)}). It is the address that this engine's own listener binds: set {pair.Decode.Name}'s own IP, or the engine hangs at start.");
        return true;
    }
}
