using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Enforce_handshake_compat=false on a pair that does not need it.</summary>
internal sealed class HandshakeChecksOff : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT024",
        Severity = LintSeverity.Warning,
        Title = "enforce_handshake_compat=false on a pair that does not need it",
        Why = "The setting switches every check off: a wrong model, dtype or layout is then read as if it were right. It is needed only where " +
            "the attention backends differ by vendor.",
        Symptom = "Nothing until something differs; then wrong tokens with HTTP 200.",
        Fix = "Take it out where both nodes are of one vendor.",
        Versions = "vLLM 0.12 and later",
        Sources = ["vLLM #29503"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode --net=host --ipc=host --device=/dev/kfd --device=/dev/dri -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","kv_connector_extra_config":{"enforce_handshake_compat":false}}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var isOneVendor = pair.Prefill.Accelerator.Kind != AcceleratorKind.Unknown && pair.Prefill.Accelerator.Kind == pair.Decode.Accelerator.Kind;
        if (!isOneVendor || !pair.Decode.IsHandshakeCheckOff()) { return false; }
        var setting = pair.Decode.NixlExtra("enforce_handshake_compat")!;
        findings.Report(Info, setting.Span, $"Both nodes run on {pair.Decode.Accelerator.Name}, so the handshake's checks would pass; false lets a wrong model, dtype or layout through unseen. Take it out.", Edits.Replace(setting.Text, "true"));
        return true;
    }
}
