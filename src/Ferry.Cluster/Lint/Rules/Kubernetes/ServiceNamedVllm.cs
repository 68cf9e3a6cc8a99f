using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>An object named vllm sets VLLM_PORT in every pod.</summary>
internal sealed class ServiceNamedVllm : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S009",
        Severity = LintSeverity.Error,
        Title = "An object named vllm sets VLLM_PORT in every pod",
        Why = "Kubernetes gives every pod a variable <NAME>_PORT for each Service of the namespace. A Service named vllm makes that " +
            "VLLM_PORT=tcp://…, which vLLM reads as its own port.",
        Symptom = "`ValueError: VLLM_PORT '…' appears to be a URI`.",
        Fix = "Name the Service otherwise (vllm-prefill), or set enableServiceLinks: false.",
        Versions = "every version",
        Sources = ["vLLM docs/configuration/env_vars.md"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Service
            metadata: { name: vllm-prefill }
            spec: { selector: { app: vllm }, ports: [{ port: 8000 }] }
            ---
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Service
            metadata: { name: vllm }
            spec: { selector: { app: vllm }, ports: [{ port: 8000 }] }
            ---
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var document in cluster.Documents)
        {
            if (document.KubernetesKind != "Service" || document.KubernetesName is not { Value: "vllm" } name) { continue; }
            findings.Report(Info, name.Span,
                "a Service named vllm gives every pod of the namespace VLLM_PORT=tcp://…, which vLLM takes for its own port. Name it otherwise (vllm-prefill), or set enableServiceLinks: false on the pods.");
        }
    }
}
