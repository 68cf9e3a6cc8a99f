using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Kubernetes;

/// <summary>Tensor parallelism with the pod's default 64 MiB of /dev/shm.</summary>
internal sealed class PodSharedMemory : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-K8S005",
        Severity = LintSeverity.Error,
        Title = "Tensor parallelism with the pod's default 64 MiB of /dev/shm",
        Why = "Kubernetes has no --shm-size. The ranks' shared memory needs an emptyDir of medium Memory at /dev/shm.",
        Symptom = "`Bus error` (core dumped); No space left on device: /dev/shm/…",
        Fix = "Mount an emptyDir with medium: Memory and a sizeLimit at /dev/shm.",
        Versions = "every version",
        Sources = ["vLLM docs/deployment/k8s.md"],
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
                  volumeMounts: [{ name: shm, mountPath: /dev/shm }]
              volumes:
                - name: shm
                  emptyDir: { medium: Memory, sizeLimit: 16Gi }
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
                  resources: { limits: { amd.com/gpu: 4 } }
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Kubernetes is null || engine.Container is not { IsHostIpc: false, SharedMemory: null } container || engine.TensorParallel is not (> 1 and { } ranks)) { return; }
        if (container.Volumes.Any(volume => volume.Target == "/dev/shm")) { return; }
        findings.Report(Info, engine.HeadSpan, $"{engine.Name} has {ranks} ranks and the 64 MiB of /dev/shm that a pod gets by itself. Mount an emptyDir with medium: Memory and sizeLimit: 16Gi at /dev/shm.");
    }
}
