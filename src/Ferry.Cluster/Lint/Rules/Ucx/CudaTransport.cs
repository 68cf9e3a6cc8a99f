using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>CUDA transport on a node without CUDA.</summary>
internal sealed class CudaTransport : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX001",
        Severity = LintSeverity.Error,
        Title = "CUDA transport on a node without CUDA",
        Why = "cuda_copy, cuda_ipc and gdr_copy exist only in a UCX built with CUDA and only find NVIDIA memory. On ROCm and Gaudi they name " +
            "nothing, so the list is shorter than it looks.",
        Symptom = "`UCX  WARN  transports 'cuda_copy','cuda_ipc' are not available, please use one or more of: …`; when nothing usable remains: " +
            "`UCX ERROR no usable transports/devices, and NIXL answers NIXL_ERR_BACKEND`.",
        Fix = "Take the CUDA names out. With kv_buffer_device=cpu the vendor-neutral list rc,ud,tcp,sm,self suits both sides.",
        Versions = "UCX 1.13 and later",
        Sources = ["UCX src/ucp/core/ucp_context.c (alias and availability check)", "UCX src/ucs/config/parser.c"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=rc,cuda_copy,cuda_ipc \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            if (ucx.List.Denies || VendorOf(ucx.Process.Accelerator.Kind) is not { } own) { continue; }
            UcxTlsEntry[] foreign = [.. ucx.Entries(transport => transport.Kind == UcxTransportKind.Accelerator && transport.Vendor != own)];
            if (foreign.Length == 0) { continue; }
            var list = ucx.With(entry => !foreign.Contains(entry), Needed(ucx, own));
            findings.Report(Info, ucx.SpanOf(foreign[0].Written),
                $"UCX_TLS={ucx.Value.Value} names {string.Join(", ", foreign.Select(entry => entry.Written))}, but {ucx.Process.Label()} runs on " +
                $"{ucx.Process.Accelerator.Name} ({ucx.Process.Accelerator.Reason}). Write UCX_TLS={list}.",
                Edits.Replace(ucx.Value, list));
        }
    }

    private static IEnumerable<string> Needed(UcxSettings ucx, UcxVendor own) => ucx.Process.HasDeviceBuffer()
        ? own == UcxVendor.Amd ? ["rocm", "tcp", "sm", "self"] : own == UcxVendor.Gaudi ? ["gaudi_gdr", "tcp", "sm", "self"] : ["tcp", "sm", "self"]
        : ["tcp", "sm", "self"];

    private static UcxVendor? VendorOf(AcceleratorKind kind) => kind switch
    {
        AcceleratorKind.Rocm => UcxVendor.Amd,
        AcceleratorKind.Gaudi => UcxVendor.Gaudi,
        AcceleratorKind.Cuda => UcxVendor.Nvidia,
        AcceleratorKind.Cpu => UcxVendor.Any,
        _ => null,
    };
}
