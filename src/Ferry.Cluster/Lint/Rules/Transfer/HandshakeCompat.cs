using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>The handshake hash of this pair always differs.</summary>
internal sealed class HandshakeCompat : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT008",
        Severity = LintSeverity.Error,
        Title = "The handshake hash of this pair always differs",
        Why = "NIXL's handshake compares a hash over vLLM's version, model, dtype, KV geometry, attention backend and KV dtype. ROCm and Gaudi " +
            "never have the same attention backend (TRITON_ATTN, FLASH_ATTN, ROCM_AITER_UNIFIED_ATTN against CUSTOM), so the reader refuses " +
            "its peer unless enforce_handshake_compat is false. Up to 0.11.2 it was a hard assertion that no setting lifts.",
        Symptom = "`NIXL compatibility hash mismatch …`; requests fail with HTTP 500 or are computed twice.",
        Fix = "Set kv_connector_extra_config.enforce_handshake_compat to false on the decode node. That switches every check off: compare " +
            "model, dtype, layout and block size by hand (this linter does).",
        Versions = "vLLM 0.12 and later (0.11.2 and earlier: no way out)",
        Sources = [
            "vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/metadata.py (compute_nixl_compatibility_hash)",
            "vLLM #29503",
        ],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu","kv_connector_extra_config":{"enforce_handshake_compat":false}}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --block-size 128 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    private static readonly VllmVersion FirstWithSetting = new(0, 12);

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        if (!pair.IsCrossVendor || !pair.Prefill.UsesNixl() || !pair.Decode.UsesNixl() || pair.Decode.IsHandshakeCheckOff()) { return false; }
        var isOld = VllmVersion.Of(pair.Decode) is { } version && version < FirstWithSetting;
        findings.Report(Info, pair.Decode.TransferSpan(),
            $"{pair.Decode.Accelerator.Name} here and {pair.Prefill.Accelerator.Name} on {pair.Prefill.Label()} have different attention backends, so the handshake's hash always differs and the pair is refused. " +
            (isOld ? "This vLLM has no setting against it: use 0.12 or later." : "Add \"kv_connector_extra_config\":{\"enforce_handshake_compat\":false} here, at your own risk: it switches every check off."));
        return true;
    }
}
