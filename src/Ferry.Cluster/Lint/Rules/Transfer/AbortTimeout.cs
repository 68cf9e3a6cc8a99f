using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>VLLM_NIXL_ABORT_REQUEST_TIMEOUT is no longer read.</summary>
internal sealed class AbortTimeout : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT025",
        Severity = LintSeverity.Warning,
        Title = "VLLM_NIXL_ABORT_REQUEST_TIMEOUT is no longer read",
        Why = "Upstream replaced the fixed timeout by a lease (kv_lease_duration); only vllm-gaudi's heterogeneous connector still has its own " +
            "copy.",
        Symptom = "Nothing shows: blocks are released after 30 s whatever the variable says.",
        Fix = "Set kv_connector_extra_config.kv_lease_duration.",
        Versions = "vLLM 0.20 and later",
        Sources = ["vLLM vllm/envs.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu","kv_connector_extra_config":{"kv_lease_duration":480}}'
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_NIXL_ABORT_REQUEST_TIMEOUT=480 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Environment.Find("VLLM_NIXL_ABORT_REQUEST_TIMEOUT") is not { } setting || engine.IsOn("VLLM_HPU_HETERO_KV_LAYOUT")) { return; }
        findings.Report(Info, setting.Span, "VLLM_NIXL_ABORT_REQUEST_TIMEOUT is no longer read: KV is released after kv_lease_duration (30 s). Write \"kv_connector_extra_config\":{\"kv_lease_duration\":SECONDS}.");
    }
}
