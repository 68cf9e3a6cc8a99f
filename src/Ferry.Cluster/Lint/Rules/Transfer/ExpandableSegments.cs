using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>Expandable_segments with a KV connector.</summary>
internal sealed class ExpandableSegments : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT019",
        Severity = LintSeverity.Error,
        Title = "expandable_segments with a KV connector",
        Why = "Expandable segments remap device memory after it was registered, so RDMA registrations go stale. vLLM refuses the combination.",
        Symptom = "`ValueError: … expandable_segments:True is not compatible with KV connectors`.",
        Fix = "Take expandable_segments:True out of PYTORCH_CUDA_ALLOC_CONF (PYTORCH_HIP_ALLOC_CONF, PYTORCH_ALLOC_CONF).",
        Versions = "vLLM 0.19 and later",
        Sources = ["vLLM vllm/config/vllm.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Connector is null || engine.Arguments.Has("--enable-sleep-mode")) { return; }
        foreach (var name in (string[])["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF", "PYTORCH_ALLOC_CONF"])
        {
            if (engine.Environment.Value(name) is { } value && value.Value.Replace(" ", "", StringComparison.Ordinal).Contains("expandable_segments:True", StringComparison.OrdinalIgnoreCase))
            {
                findings.Report(Info, value.Span, $"{name}={value.Value}: memory that a KV connector has registered must not be remapped. Take expandable_segments:True out.");
            }
        }
    }
}
