using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Host buffer on one side, device buffer on the other.</summary>
internal sealed class BufferDevicePeer : PairRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT007",
        Severity = LintSeverity.Error,
        Title = "Host buffer on one side, device buffer on the other",
        Why = "A side builds its peer's descriptors with its own memory type. VRAM on one end and DRAM on the other do not match until vLLM " +
            "#53554 is merged.",
        Symptom = "`NIXL_ERR_NOT_FOUND or NIXL_ERR_BACKEND` when the decode engine prepares its first read.",
        Fix = "Use cpu on both sides, or the device on both sides.",
        Versions = "vLLM up to and including 0.28",
        Sources = ["vLLM #53554"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.2 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override bool Check(ObservedPair pair, FindingSink findings)
    {
        var isMixed = (pair.Prefill.HasHostBuffer() && pair.Decode.HasDeviceBuffer()) || (pair.Prefill.HasDeviceBuffer() && pair.Decode.HasHostBuffer());
        if (!isMixed) { return false; }
        findings.Report(Info, pair.Decode.BufferSpan(),
            $"kv_buffer_device is {pair.Decode.BufferDevice()} here and {pair.Prefill.BufferDevice()} on {pair.Prefill.Label()} ({pair.Prefill.BufferSpan().SeenFrom(pair.Decode)}): host and device memory do not match. Write cpu on both sides.",
            pair.Decode.HasDeviceBuffer() && pair.Decode.KvTransfer?.Nixl?.Find("kv_buffer_device") is { } device ? Edits.Replace(device.Text, "cpu") : []);
        return true;
    }
}
