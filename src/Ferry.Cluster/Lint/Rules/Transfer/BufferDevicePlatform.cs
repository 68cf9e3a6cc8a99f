using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Kv_buffer_device that the platform does not allow.</summary>
internal sealed class BufferDevicePlatform : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT006",
        Severity = LintSeverity.Error,
        Title = "kv_buffer_device that the platform does not allow",
        Why = "NixlConnector accepts cuda or cpu on NVIDIA and on ROCm (whose device type is called cuda), hpu or cpu on Gaudi, xpu or cpu on " +
            "XPU, and cpu on CPU. rocm, gpu and hip are no values.",
        Symptom = "`RuntimeError: hpu with cuda kv_buffer is not supported`.",
        Fix = "Use cpu on both sides, or each platform's own name.",
        Versions = "vLLM with NixlConnector",
        Sources = [
            "vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/utils.py (_NIXL_SUPPORTED_DEVICE)",
            "vllm-gaudi hpu_nixl_connector.py",
        ],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"cuda"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Nixl?.Find("kv_buffer_device") is not { Kind: DataKind.String, Text: { HasUnknown: false } device }) { return; }
        string[] allowed = engine.Accelerator.Kind switch
        {
            AcceleratorKind.Rocm or AcceleratorKind.Cuda => ["cuda", "cpu"],
            AcceleratorKind.Gaudi => ["hpu", "cpu"],
            AcceleratorKind.Cpu => ["cpu"],
            _ => ["cuda", "hpu", "xpu", "tpu", "cpu"],
        };
        if (allowed.Contains(device.Value)) { return; }
        var where = engine.Accelerator.Kind == AcceleratorKind.Unknown ? "NixlConnector" : $"NixlConnector on {engine.Accelerator.Name}";
        var hint = engine.Accelerator.Kind == AcceleratorKind.Rocm ? " vLLM's name of the ROCm device is cuda." : "";
        findings.Report(Info, device.Span, $"kv_buffer_device is {device.Value}; {where} takes {string.Join(" or ", allowed)}.{hint} Write cpu here and on the peer.", Edits.Replace(device, "cpu"));
    }
}
