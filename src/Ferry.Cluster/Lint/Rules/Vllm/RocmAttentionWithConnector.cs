using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>ROCM_ATTN cannot be used with a KV connector.</summary>
internal sealed class RocmAttentionWithConnector : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM008",
        Severity = LintSeverity.Error,
        Title = "ROCM_ATTN cannot be used with a KV connector",
        Why = "Its cache has K and V in two halves over all blocks, which no connector moves; vLLM does not select it when a connector is set.",
        Symptom = "`ValueError: … ROCM_ATTN … kv connector`.",
        Fix = "Use --attention-backend TRITON_ATTN (blocks of any multiple of 16).",
        Versions = "vLLM 0.12 and later",
        Sources = ["vLLM vllm/platforms/rocm.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend TRITON_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --attention-backend ROCM_ATTN \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Connector is null || engine.AttentionBackend() is not { } backend || !backend.Value.Equals("ROCM_ATTN", StringComparison.OrdinalIgnoreCase)) { return; }
        findings.Report(Info, backend.Span, $"{backend.Value} cannot be used with a KV connector. Write TRITON_ATTN.", Edits.Replace(backend, "TRITON_ATTN"));
    }
}
