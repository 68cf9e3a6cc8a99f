using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A ROCm container under the default seccomp profile.</summary>
internal sealed class RocmSeccomp : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR003",
        Severity = LintSeverity.Info,
        Title = "A ROCm container under the default seccomp profile",
        Why = "Docker's default profile refuses the memory-mapping calls that ROCm's IPC and NUMA binding use. AMD's own commands run with " +
            "seccomp=unconfined.",
        Symptom = "`set_mempolicy: Operation not permitted`; slow or failing RCCL start.",
        Fix = "Add --security-opt seccomp=unconfined.",
        Versions = "every version",
        Sources = ["ROCm documentation, Running ROCm Docker containers", "vLLM docs/getting_started/installation/gpu.rocm.inc.md"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              --security-opt seccomp=unconfined \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Accelerator.Kind != AcceleratorKind.Rocm || engine.Kubernetes is not null || engine.Container is not { Privileged: null } container ||
            container.SecurityOptions.Any(option => option.Value.StartsWith("seccomp", StringComparison.Ordinal)))
        {
            return;
        }
        findings.Report(Info, container.Name?.Span ?? engine.HeadSpan, $"{engine.Name}'s container runs ROCm under Docker's default seccomp profile. Add --security-opt seccomp=unconfined.");
    }
}
