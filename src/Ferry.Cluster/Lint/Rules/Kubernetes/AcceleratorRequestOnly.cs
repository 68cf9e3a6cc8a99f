using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>An accelerator under requests but not under limits.</summary>
internal sealed class AcceleratorRequestOnly : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S003",
        Severity = LintSeverity.Error,
        Title = "An accelerator under requests but not under limits",
        Why = "Extended resources cannot be overcommitted: a request without an equal limit is refused by the API server.",
        Symptom = "`Invalid value: … Limit must be set for non overcommitable resources`.",
        Fix = "Write the same number under limits.",
        Versions = "every version",
        Sources = ["Kubernetes documentation, Schedule GPUs"],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  resources:
                    limits: { amd.com/gpu: 1 }
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
                  resources:
                    requests: { amd.com/gpu: 1 }
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Kubernetes is not { } kubernetes) { continue; }
            foreach (var (name, value) in kubernetes.Requests)
            {
                if (!IsDevice(name.Value)) { continue; }
                var limit = kubernetes.Limits.FirstOrDefault(resource => resource.Name.Value == name.Value);
                if (limit.Name is not null && limit.Value.Value == value.Value) { continue; }
                findings.Report(Info, name.Span, limit.Name is null
                    ? $"{name.Value} stands under requests and not under limits, which the API server refuses. Write limits: {{ {name.Value}: {value.Value} }}."
                    : $"{name.Value} is {value.Value} under requests and {limit.Value.Value} under limits; the two must be equal.");
            }
        }
    }

    private static bool IsDevice(string name) => name.Contains('/', StringComparison.Ordinal) &&
        (name.StartsWith("amd.com/", StringComparison.Ordinal) || name.StartsWith("habana.ai/", StringComparison.Ordinal) || name.StartsWith("nvidia.com/", StringComparison.Ordinal) || name.StartsWith("gpu.intel.com/", StringComparison.Ordinal));
}
