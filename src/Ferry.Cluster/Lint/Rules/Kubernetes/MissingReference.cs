using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>A Secret or ConfigMap that the files do not define.</summary>
internal sealed class MissingReference : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S007",
        Severity = LintSeverity.Warning,
        Title = "A Secret or ConfigMap that the files do not define",
        Why = "A pod whose Secret or ConfigMap does not exist is not started. It may exist in the cluster already; the files do not show it.",
        Symptom = "`CreateContainerConfigError: secret \"…\" not found`.",
        Fix = "Create it before the pod (kubectl create secret generic …), or give lint the file that defines it.",
        Versions = "every version",
        Sources = ["Kubernetes documentation, Secrets"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: vllm-settings }
            data: { UCX_TLS: "rc,ud,tcp,sm,self" }
            ---
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  envFrom: [{ configMapRef: { name: vllm-settings } }]
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
                  envFrom: [{ configMapRef: { name: vllm-settings } }]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var (process, (reference, span)) in cluster.Processes.Where(process => process.Kubernetes is not null)
            .SelectMany(process => process.Kubernetes!.MissingReferences.Select(missing => (process, missing))))
        {
            // A Secret belongs outside of the files; a ConfigMap does not.
            if (reference.StartsWith("Secret", StringComparison.Ordinal)) { continue; }
            findings.Report(Info, span, $"{process.Name} needs {reference}, which is not among the files. Create it before the pod, or give lint the file that defines it.");
        }
    }
}
