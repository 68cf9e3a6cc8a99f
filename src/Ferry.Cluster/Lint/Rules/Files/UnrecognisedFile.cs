namespace Ferry.Cluster.Lint.Rules.Files;

/// <summary>Reported by the reader of all files.</summary>
internal sealed class UnrecognisedFile : DefectRule
{
    public const string Id = "FERRY-FIL002";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Warning,
        Title = "The file is of no kind that is checked",
        Why = "A file that is passed over in silence looks like one that was found good.",
        Symptom = "The summary counts fewer processes than the cluster has.",
        Fix = "Give the file that starts the processes: a script with docker run or vllm serve, a compose file, Kubernetes manifests, an env file, LMCache's YAML, a Markdown guide, or ferry.yaml.",
        Versions = "every version",
        Sources = ["docs/lint/README.md"],
        GoodExample = RuleExample.LmCacheYaml("""
            chunk_size: 256
            local_cpu: true
            max_local_cpu_size: 20
            """),
        BadExample = RuleExample.LmCacheYaml("""
            server:
              listen: 0.0.0.0:80
            """),
    };

    protected override string Message => "Nothing here is known: no docker run, compose services, Kubernetes objects, env settings, LMCache keys, fenced shell blocks or pools.";
}
