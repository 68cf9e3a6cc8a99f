using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Field that NixlConnector does not read.</summary>
internal sealed class LegacyTransferField : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT015",
        Severity = LintSeverity.Warning,
        Title = "Field that NixlConnector does not read",
        Why = "kv_rank, kv_parallel_size, kv_ip, kv_port and kv_buffer_size belong to connectors that are gone. NIXL finds its peer by " +
            "VLLM_NIXL_SIDE_CHANNEL_HOST and _PORT and the request's kv_transfer_params.",
        Symptom = "Nothing shows: the value has no effect.",
        Fix = "Take the field out; set the side channel's variables.",
        Versions = "vLLM 0.9 and later",
        Sources = ["vLLM vllm/config/kv_transfer.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_rank":0,"kv_parallel_size":2,"kv_ip":"10.0.0.1","kv_port":14579}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Nixl is not { } nixl) { return; }
        foreach (var member in nixl.Members.Where(member => TransferFields.Legacy.Contains(member.Key.Value)))
        {
            findings.Report(Info, member.Key.Span.To(member.Value.Span), $"NixlConnector does not read {member.Key.Value}. Take it out; the peer is found by VLLM_NIXL_SIDE_CHANNEL_HOST and _PORT.");
        }
    }
}
