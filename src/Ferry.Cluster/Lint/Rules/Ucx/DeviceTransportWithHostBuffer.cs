using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Kv.Ucx;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>GPU-direct transport with a host buffer.</summary>
internal sealed class DeviceTransportWithHostBuffer : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX008",
        Severity = LintSeverity.Warning,
        Title = "GPU-direct transport with a host buffer",
        Why = "kv_buffer_device=cpu registers host memory only; rocm, cuda, ze and gaudi in UCX_TLS then move nothing. The configuration reads " +
            "as GPU-direct and is not: every block is copied to host memory by the engine first.",
        Symptom = "Nothing shows: it runs, with the rates of host staging.",
        Fix = "Take the accelerator transport out, or set kv_buffer_device to the device on both sides.",
        Versions = "vLLM with NixlConnector, all UCX",
        Sources = ["vLLM vllm/distributed/kv_transfer/kv_connector/v1/nixl/utils.py (_NIXL_SUPPORTED_DEVICE)", "vLLM #53554"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --net=host \
              -e UCX_TLS=rc,ud,rocm,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var ucx in UcxSettings.Of(cluster))
        {
            UcxTlsEntry[] idle = ucx.List.Denies ? [] : [.. ucx.Entries(transport => transport.Kind == UcxTransportKind.Accelerator)];
            if (idle.Length == 0 || !ucx.Process.HasHostBuffer()) { continue; }
            var list = ucx.With(entry => !idle.Contains(entry), "tcp");
            findings.Report(Info, ucx.SpanOf(idle[0].Written),
                $"UCX_TLS={ucx.Value.Value} names {string.Join(", ", idle.Select(entry => entry.Written))}, but kv_buffer_device is cpu: only host memory is " +
                $"transferred and nothing is GPU-direct. Write UCX_TLS={list}, or set kv_buffer_device to the device on both sides.",
                Edits.Replace(ucx.Value, list));
        }
    }
}
