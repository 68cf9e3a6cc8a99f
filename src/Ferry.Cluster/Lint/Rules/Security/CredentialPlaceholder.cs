using Ferry.Cluster.Lint.Secrets;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>A place where a credential would be written into the file.</summary>
internal sealed class CredentialPlaceholder : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC002",
        Severity = LintSeverity.Warning,
        Title = "A place where a credential would be written into the file",
        Why = "The placeholder asks for the real key on the command line, where docker inspect, the process list and shell history keep it. " +
            "Followed as written, the instruction leaks it.",
        Symptom = "Nothing shows at run time.",
        Fix = "Write -e NAME without a value, with the value in the caller's environment or in an --env-file of mode 600; in Kubernetes " +
            "secretKeyRef.",
        Versions = "every version",
        Sources = ["Docker documentation, docker container run (--env, --env-file)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e AWS_SECRET_ACCESS_KEY \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e "AWS_SECRET_ACCESS_KEY=<secret-key>" \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            foreach (var (name, value, origin) in CredentialPlaces.Of(process))
            {
                // "$KEY" is a reference; "<key>" wants the key itself written there.
                if (origin is EnvironmentOrigin.EnvFile or EnvironmentOrigin.KubernetesSecret || !value.Value.StartsWith('<')) { continue; }
                var way = origin == EnvironmentOrigin.DockerFlag ? $"Write -e {name} and set it in the caller's environment, or use --env-file." : "Pass it by reference (an env file of mode 600, a secret).";
                findings.Report(Info, value.Span, $"{name}={value.Value} asks for the key on this line, where docker inspect, the process list and shell history show it. {way}");
            }
        }
    }
}
