using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Platform;

/// <summary>Kv_buffer_device=hpu without VLLM_NIXL_DEVICE_TO_DEVICE.</summary>
internal sealed class DeviceToDevice : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-HPU008",
        Severity = LintSeverity.Error,
        Title = "kv_buffer_device=hpu without VLLM_NIXL_DEVICE_TO_DEVICE",
        Why = "The plug-in registers HPU buffers as DRAM unless the variable is 1 or true; NIXL then treats device addresses as host memory.",
        Symptom = "Registration fails, or the process faults at the first transfer.",
        Fix = "Set VLLM_NIXL_DEVICE_TO_DEVICE=1 with UCX's gaudi_gdr, or use kv_buffer_device=cpu.",
        Versions = "vllm-gaudi 0.12 and later",
        Sources = ["vllm-gaudi #240"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,gaudi_gdr,tcp,sm,self -e UCX_MEMTYPE_CACHE=0 -e VLLM_NIXL_DEVICE_TO_DEVICE=1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"hpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,gaudi_gdr,tcp,sm,self -e UCX_MEMTYPE_CACHE=0 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer","kv_buffer_device":"hpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Gaudi || engine.BufferDevice() != "hpu" || engine.IsOn("VLLM_NIXL_DEVICE_TO_DEVICE")) { return; }
        var isDefault = engine.KvTransfer!.Nixl!.Find("kv_buffer_device") is null;
        findings.Report(Info, engine.BufferSpan(), $"kv_buffer_device of {engine.Name} is hpu{(isDefault ? " (the default on Gaudi)" : "")}, and without VLLM_NIXL_DEVICE_TO_DEVICE=1 its device memory is registered as host memory. Set it, or use kv_buffer_device=cpu on both sides.",
            Edits.AddVariable(engine, "VLLM_NIXL_DEVICE_TO_DEVICE", "1"));
    }
}
