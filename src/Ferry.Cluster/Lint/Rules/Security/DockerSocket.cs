using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>The Docker socket inside the container.</summary>
internal sealed class DockerSocket : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC011",
        Severity = LintSeverity.Error,
        Title = "The Docker socket inside the container",
        Why = "Whoever can write to /var/run/docker.sock starts any container with any mount: root on the host.",
        Symptom = "Nothing, until it is used.",
        Fix = "Take the mount out.",
        Versions = "every version",
        Sources = ["Docker documentation, Docker daemon attack surface"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -v /var/run/docker.sock:/var/run/docker.sock \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            foreach (var volume in process.Container?.Volumes.Where(volume => volume.Source.Contains("docker.sock", StringComparison.Ordinal) || volume.Source.Contains("containerd.sock", StringComparison.Ordinal)) ?? [])
            {
                findings.Report(Info, volume.Span, $"{process.Name} gets {volume.Source}: whoever can write there is root on the host. Take the mount out.");
            }
        }
    }
}
