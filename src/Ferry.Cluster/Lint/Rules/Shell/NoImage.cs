namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where <c>docker run</c> is read.</summary>
internal sealed class NoImage : DefectRule
{
    public const string Id = "FERRY-SH012";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "docker run names no image",
        Why = "Without an image nothing can run; most often an option has taken the image for its value, or the command ended early.",
        Symptom = "`docker: 'docker run' requires at least 1 argument`.",
        Fix = "Name the image behind the options.",
        Versions = "docker, podman, nerdctl",
        Sources = ["docs.docker.com/reference/cli/docker/container/run"],
        GoodExample = RuleExample.Shell("docker run -d --name decode vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode -e UCX_TLS=rc,sm,self\n"),
    };

    protected override string Message => "No image stands behind the options of this command.";
}
