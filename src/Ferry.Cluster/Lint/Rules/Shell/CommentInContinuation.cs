namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader, which alone knows where a command ends.</summary>
internal sealed class CommentInContinuation : DefectRule
{
    public const string Id = "FERRY-SH001";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A comment inside a continued command ends the command",
        Why = "A backslash at the end of a line joins the next line to it. If that next line is a comment, the comment runs to its line end " +
            "and the command ends there: everything below is a new command, so the container starts without the settings that follow, or not at all.",
        Symptom = "`-e: command not found`, or `docker: 'docker run' requires at least 1 argument`; with luck in the order of lines the container starts and the settings are missing.",
        Fix = "Put the comments above the command, or keep the arguments in a bash array, where comments between them are allowed.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.1 Escape Character and 2.3 Token Recognition"],
        GoodExample = RuleExample.Shell("""
            # The transport: RDMA between nodes, shared memory inside one.
            docker run -d --name decode \
              -e UCX_TLS=rc,sm,self \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode \
              # The transport: RDMA between nodes, shared memory inside one.
              -e UCX_TLS=rc,sm,self \
              vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override string Message => "This comment ends the command that was continued on the line above; what follows runs as commands of their own.";
}
