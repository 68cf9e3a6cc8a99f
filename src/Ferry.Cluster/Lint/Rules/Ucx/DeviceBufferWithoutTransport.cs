using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>Device buffers, but no transport that knows the device's memory.</summary>
internal sealed class DeviceBufferWithoutTransport : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX012",
        Severity = LintSeverity.Error,
        Title = "Device buffers, but no transport that knows the device's memory",
        Why = "kv_buffer_device=cuda (ROCm) or hpu hands UCX device pointers. Unless UCX_TLS lists rocm or gaudi_gdr, UCX takes them for host " +
            "memory.",
        Symptom = "`VRAM memory is detected as host by UCX … VRAM registration cannot proceed` (NIXL 1.0 and later); a segmentation fault before.",
        Fix = "Add rocm (MI300X) or gaudi_gdr (Gaudi, UCX 1.21 and later) to UCX_TLS, or use kv_buffer_device=cpu on both sides.",
        Versions = "every version",
        Sources = ["UCX FAQ, \"GPU memory types need their transport in UCX_TLS\"", "NIXL src/plugins/ucx/ucx_backend.cpp"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            var (own, name) = ucx.Process.Accelerator.Kind switch
            {
                AcceleratorKind.Rocm => (UcxVendor.Amd, "rocm"),
                AcceleratorKind.Gaudi => (UcxVendor.Gaudi, "gaudi_gdr"),
                AcceleratorKind.Cuda => (UcxVendor.Nvidia, "cuda"),
                _ => (UcxVendor.Any, ""),
            };
            if (name.Length == 0 || ucx.List.Denies || ucx.List.AllowsAll || !ucx.Process.HasDeviceBuffer() || ucx.Names(transport => transport.Vendor == own)) { continue; }
            var list = ucx.With(_ => true, name);
            findings.Report(Info, ucx.Value.Span,
                $"kv_buffer_device is {ucx.Process.BufferDevice()}, but UCX_TLS={ucx.Value.Value} has no transport that knows {ucx.Process.Accelerator.Name} memory. " +
                $"Write UCX_TLS={list}, or use kv_buffer_device=cpu on both sides.", Edits.Replace(ucx.Value, list));
        }
    }
}
