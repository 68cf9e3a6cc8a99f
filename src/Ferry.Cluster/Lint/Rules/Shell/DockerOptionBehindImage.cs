namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where <c>docker run</c> is read.</summary>
internal sealed class DockerOptionBehindImage : DefectRule
{
    public const string Id = "FERRY-SH011";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "An option of docker stands behind the image",
        Why = "Every word behind the image goes to the program in the container; docker does not see it.",
        Symptom = "`vllm serve: error: unrecognized arguments: -e UCX_TLS=rc,sm,self`, or the setting is silently missing.",
        Fix = "Move the option before the image.",
        Versions = "docker, podman, nerdctl",
        Sources = ["docs.docker.com/reference/cli/docker/container/run: docker run [OPTIONS] IMAGE [COMMAND] [ARG...]"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode --ipc=host -e UCX_TLS=rc,sm,self vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode --ipc=host vllm/vllm-openai:v0.14.0 -e UCX_TLS=rc,sm,self --model meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override string Message => "This word goes to the program in the container, for it stands behind the image.";
}
