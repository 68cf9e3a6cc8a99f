using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Transfer;

/// <summary>--kv-offloading-size replaces the connector.</summary>
internal sealed class OffloadingOverridesConnector : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-KVT023",
        Severity = LintSeverity.Warning,
        Title = "--kv-offloading-size replaces the connector",
        Why = "The flag sets the connector itself (OffloadingConnector, or LMCacheMPConnector with --kv-offloading-backend lmcache) and forces " +
            "kv_both; what --kv-transfer-config says is lost.",
        Symptom = "No transfer between the nodes; the log names OffloadingConnector.",
        Fix = "Use MultiConnector with both children, or drop one of the two flags.",
        Versions = "vLLM 0.13 and later",
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
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --kv-offloading-size 20 \
              --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}'
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.KvTransfer?.Connector is not { } connector || engine.Arguments.Flag("--kv-offloading-size") is not { } flag) { return; }
        findings.Report(Info, flag.Span, $"{flag.Span.Text} sets a connector of its own and forces kv_both, so {connector.Value} is lost. Use MultiConnector with both, or leave one out.", Edits.Remove(flag));
    }
}
