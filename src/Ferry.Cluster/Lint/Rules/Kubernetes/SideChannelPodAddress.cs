using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>A fixed side-channel host in a pod.</summary>
internal sealed class SideChannelPodAddress : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S006",
        Severity = LintSeverity.Error,
        Title = "A fixed side-channel host in a pod",
        Why = "The side channel binds and advertises VLLM_NIXL_SIDE_CHANNEL_HOST. A pod's address is known only when it runs; a Service's name " +
            "or another fixed address cannot be bound.",
        Symptom = "`zmq.error.ZMQError: Cannot assign requested address`; the engine hangs at start.",
        Fix = "Take it from the downward API: valueFrom.fieldRef.fieldPath: status.podIP.",
        Versions = "every version",
        Sources = ["vLLM #27083", "llm-d guides, pd-disaggregation values"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  args: ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}']
                  env: [{ name: VLLM_NIXL_SIDE_CHANNEL_HOST, valueFrom: { fieldRef: { fieldPath: status.podIP } } }]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  args: ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_producer","kv_buffer_device":"cpu"}']
                  env: [{ name: VLLM_NIXL_SIDE_CHANNEL_HOST, value: prefill.default.svc.cluster.local }]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Kubernetes is null || engine.Container?.IsHostNetwork == true || engine.Environment.Value(SideChannel.HostVariable) is not { HasUnknown: false } value) { return; }
        if (value.Value.Contains("$(", StringComparison.Ordinal) || SideChannel.IsAny(value.Value) || SideChannel.IsLocal(value.Value)) { return; }
        findings.Report(Info, value.Span, $"{SideChannel.HostVariable} of {engine.Name} is fixed to {value.Value}, which no pod can bind. Take it from valueFrom.fieldRef.fieldPath: status.podIP.");
    }
}
