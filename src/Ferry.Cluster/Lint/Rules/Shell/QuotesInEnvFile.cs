namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where <c>docker run --env-file</c> is read.</summary>
internal sealed class QuotesInEnvFile : DefectRule
{
    public const string Id = "FERRY-SH016";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "docker run keeps the quotes of an env file",
        Why = "Compose and shells take quotes around a value off; docker run --env-file hands the line on as it is. The quotes become part of the value.",
        Symptom = "`transport '\"rc' is not available` from UCX; host names with quotes that do not resolve.",
        Fix = "Remove the quotes from the file that --env-file names.",
        Versions = "docker run, all versions",
        Sources = ["docs.docker.com/reference/cli/docker/container/run, --env-file"],
        GoodExample = new RuleExample(ExampleKind.Markdown, """
            ```bash
            cat > node.env <<EOF
            UCX_TLS=rc,sm,self
            EOF
            docker run -d --name decode --env-file node.env vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            ```
            """),
        BadExample = new RuleExample(ExampleKind.Markdown, """
            ```bash
            cat > node.env <<EOF
            UCX_TLS="rc,sm,self"
            EOF
            docker run -d --name decode --env-file node.env vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            ```
            """),
    };

    protected override string Message => "docker run gives the program these quotes as part of the value.";
}
