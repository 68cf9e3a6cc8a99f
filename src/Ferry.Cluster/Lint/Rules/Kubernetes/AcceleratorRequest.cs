using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>An engine's container asks for fewer accelerators than it has ranks.</summary>
internal sealed class AcceleratorRequest : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S002",
        Severity = LintSeverity.Error,
        Title = "An engine's container asks for fewer accelerators than it has ranks",
        Why = "A container sees the devices that it asks for, no others.",
        Symptom = "`No HIP GPUs are available`; or World size … is larger than the number of available GPUs.",
        Fix = "Set the limit of amd.com/gpu or habana.ai/gaudi to tensor-parallel × pipeline-parallel size.",
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
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "4"]
                  resources: { limits: { amd.com/gpu: 4 } }
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata: { name: prefill }
            spec:
              containers:
                - name: vllm
                  image: rocm/vllm:v0.20.0
                  command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "4"]
                  resources: { limits: { amd.com/gpu: 1 } }
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Kubernetes is not { } kubernetes || kubernetes.Kind == "LeaderWorkerSet" || engine.Ranks() is not { } ranks) { return; }
        if (engine.Arguments.Has("--nnodes") || engine.Arguments.Value("--distributed-executor-backend")?.Value == "ray") { return; }
        var name = engine.Accelerator.Kind switch { AcceleratorKind.Rocm => "amd.com/gpu", AcceleratorKind.Gaudi => "habana.ai/gaudi", AcceleratorKind.Cuda => "nvidia.com/gpu", _ => null };
        if (name is null) { return; }
        if (kubernetes.Resource(name) is not { } asked)
        {
            // Partitions and other classes of a vendor's devices count as that vendor's.
            var vendor = name.Split('/')[0] + "/";
            if (kubernetes.Limits.Concat(kubernetes.Requests).Any(resource => resource.Name.Value.StartsWith(vendor, StringComparison.Ordinal))) { return; }
            findings.Report(Info, engine.HeadSpan, $"{engine.Name} runs on {engine.Accelerator.Name} ({engine.Accelerator.Reason}) and asks for no {name}. Add resources.limits: {{ {name}: {ranks} }}.");
            return;
        }
        if (asked.TryLong() is not { } count || count >= ranks) { return; }
        findings.Report(Info, asked.Span, $"{engine.Name} asks for {count} {name} and has {ranks} ranks ({TensorParallelSpan.Of(engine).SeenFrom(engine)}). Write {ranks}.", Edits.Replace(asked, ranks.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }
}
