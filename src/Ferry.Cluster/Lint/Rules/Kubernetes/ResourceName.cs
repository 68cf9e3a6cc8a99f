using Ferry.Cluster.Observed;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>A resource that no device plug-in offers.</summary>
internal sealed class ResourceName : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S001",
        Severity = LintSeverity.Error,
        Title = "A resource that no device plug-in offers",
        Why = "The scheduler compares names as text. AMD's plug-in offers amd.com/gpu, Intel's habana.ai/gaudi; a pod that asks for any other " +
            "name stays pending.",
        Symptom = "`0/N nodes are available: N Insufficient amd.com/gpus`.",
        Fix = "Write amd.com/gpu, or habana.ai/gaudi.",
        Versions = "every version",
        Sources = ["ROCm/k8s-device-plugin README", "Intel Gaudi documentation, Kubernetes device plug-in"],
        GoodExample = RuleExample.Kubernetes("""
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
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
                  resources: { limits: { amd.com/gpus: 1 } }
            """),
    };

    private static readonly string[] Known = ["amd.com/gpu", "habana.ai/gaudi", "nvidia.com/gpu", "gpu.intel.com/i915", "gpu.intel.com/xe"];
    private static readonly string[] Vendors = ["amd.com/", "habana.ai/", "intel.com/gaudi", "gaudi.intel.com/"];

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var (name, _) in cluster.Processes.Where(process => process.Kubernetes is not null)
            .SelectMany(process => process.Kubernetes!.Limits.Concat(process.Kubernetes.Requests)))
        {
            // AMD's partitions are resources too: amd.com/cpx_nps4.
            if (name.HasUnknown || Known.Contains(name.Value) || (name.Value.StartsWith("amd.com/", StringComparison.Ordinal) && name.Value.Contains('_', StringComparison.Ordinal))) { continue; }
            var isVendors = Vendors.Any(vendor => name.Value.StartsWith(vendor, StringComparison.OrdinalIgnoreCase));
            var meant = name.Value.Contains("habana", StringComparison.OrdinalIgnoreCase) || name.Value.Contains("gaudi", StringComparison.OrdinalIgnoreCase) ? "habana.ai/gaudi"
                : isVendors ? "amd.com/gpu" : Typo.Find(name.Value, Known);
            if (meant is null || (!isVendors && NearestName.Find(name.Value, Known) is null)) { continue; }
            findings.Report(Info, name.Span, $"no device plug-in offers {name.Value}; the pod stays pending. Write {meant}.", Edits.Replace(name, meant));
        }
    }
}
