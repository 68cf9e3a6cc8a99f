using Ferry.Cluster.Lint.Secrets;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>A credential stands in the file.</summary>
internal sealed class InlineCredential : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC001",
        Severity = LintSeverity.Error,
        Title = "A credential stands in the file",
        Why = "What stands in a script, compose file or manifest ends in a repository, in docker inspect, in the process list and in shell " +
            "history. A published key is used by strangers within minutes.",
        Symptom = "Nothing, until somebody else uses it.",
        Fix = "Revoke the key, and pass a new one by reference: -e NAME without a value (from the caller's environment), a Docker secret, or " +
            "secretKeyRef.",
        Versions = "every version",
        Sources = ["AWS documentation, Managing access keys (best practices)"],
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
              -e AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        var told = new HashSet<(SourceFile File, int Line)>();
        foreach (var process in cluster.Processes)
        {
            foreach (var (name, value, origin) in CredentialPlaces.Of(process))
            {
                // The data of a Secret manifest has a rule of its own.
                if (origin == EnvironmentOrigin.KubernetesSecret || value.HasUnknown || value.Value.Length == 0 || SecretValues.IsPlaceholder(value.Value)) { continue; }
                told.Add((value.File, value.Span.Line));
                findings.Report(Info, origin == EnvironmentOrigin.EnvFile ? LintSeverity.Warning : LintSeverity.Error, value.Span, origin == EnvironmentOrigin.EnvFile
                    ? $"{name} has its value in this file. Keep the file out of repositories and images, with mode 600."
                    : $"{name} has its value in this file. If it is real, revoke it; then pass it by reference (-e NAME without a value, a Docker secret, secretKeyRef).");
            }
        }
        foreach (var (kind, span) in cluster.Files.SelectMany(CredentialScan.Of))
        {
            if (told.Add((span.File, span.Line))) { findings.Report(Info, span, $"this looks like {kind}. If it is real, revoke it, and keep credentials out of files."); }
        }
    }
}
