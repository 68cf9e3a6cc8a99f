using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>Rocm is a copy engine and an IPC path, not GPU-direct RDMA.</summary>
internal sealed class RocmAlias : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX016",
        Severity = LintSeverity.Info,
        Title = "rocm is a copy engine and an IPC path, not GPU-direct RDMA",
        Why = "The alias stands for rocm_copy, rocm_ipc and rocm_gdr, and rocm_gdr left the source in UCX 1.14. GPU-direct RDMA is done by rc " +
            "with peer memory or a dma-buf, which rocm_copy offers only with UCX_ROCM_COPY_DMABUF=y (the default from 1.23); kernels above " +
            "6.0 practically need it. Under NIXL's peer error handling rocm_ipc is left out as well.",
        Symptom = "Rates of staging (5 GB/s and less) where GPU-direct was expected.",
        Fix = "For device buffers over RDMA set UCX_ROCM_COPY_DMABUF=y and prove zero-copy with UCX_PROTO_INFO=y; with kv_buffer_device=cpu " +
            "leave rocm out.",
        Versions = "UCX 1.14 to 1.22",
        Sources = ["UCX #9598", "UCX #11957", "NIXL #2039"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self -e UCX_ROCM_COPY_DMABUF=y \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cuda"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            if (ucx.List.Denies || ucx.Process.Environment.Has("UCX_ROCM_COPY_DMABUF")) { continue; }
            if (ucx.List.Entries.FirstOrDefault(entry => entry.Name is "rocm" or "rocm_gdr" or "rocm_copy") is not { } rocm) { continue; }
            var dead = rocm.Name == "rocm_gdr" ? "rocm_gdr left UCX in 1.14" : "rocm stands for rocm_copy and rocm_ipc, a copy engine and an IPC path";
            findings.Report(Info, ucx.SpanOf(rocm.Written),
                $"UCX_TLS={ucx.Value.Value}: {dead}. GPU-direct between nodes is rc's, {(ucx.Names(transport => transport.Kind == UcxTransportKind.Rdma)
                    ? "with a dma-buf: set UCX_ROCM_COPY_DMABUF=y"
                    : "and there is no RDMA transport in the list: device memory is staged")}.");
        }
    }
}
