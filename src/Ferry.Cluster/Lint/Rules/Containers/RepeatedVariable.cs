using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>A variable is set twice with different values.</summary>
internal sealed class RepeatedVariable : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR014",
        Severity = LintSeverity.Warning,
        Title = "A variable is set twice with different values",
        Why = "The last one wins. The other is what somebody reads who looks for the first.",
        Symptom = "The process runs with the other value.",
        Fix = "Leave one of them.",
        Versions = "every version",
        Sources = ["Docker documentation, docker container run (environment variables)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e UCX_TLS=rc,ud,tcp,sm,self -e UCX_TLS=tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            // A flag over an env file, or an env over a ConfigMap, is how defaults are overridden.
            foreach (var group in process.Environment.All.GroupBy(setting => (setting.Name.Value, setting.Origin)))
            {
                EnvironmentSetting[] settings = [.. group];
                if (settings.Length < 2 || settings[0].Span.File != settings[^1].Span.File || settings.Select(setting => setting.Value?.Value).Distinct(StringComparer.Ordinal).Count() < 2) { continue; }
                var shown = settings[^1].IsSecret ? "its last value" : settings[^1].Value?.Value ?? "a reference";
                findings.Report(Info, settings[0].Span, $"{settings[0].Name.Value} of {process.Name} is set {settings.Length} times; {shown} counts (line {settings[^1].Span.Line}). Leave one.");
            }
        }
    }
}
