namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class BlankBehindBackslash : DefectRule
{
    public const string Id = "FERRY-SH002";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A blank behind the backslash ends the command",
        Why = "A backslash joins lines only if the line end follows at once. With a blank between, it quotes the blank, the line ends the command, and the options below run as commands of their own.",
        Symptom = "`-e: command not found`; docker is given an argument that is one blank.",
        Fix = "Remove the blanks behind the backslash.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2.1 Escape Character"],
        GoodExample = RuleExample.Shell("docker run -d --name decode \\\n  --ipc=host \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
        BadExample = RuleExample.Shell("docker run -d --name decode \\  \n  --ipc=host \\\n  vllm/vllm-openai:v0.14.0 --model meta-llama/Llama-3.1-8B-Instruct\n"),
    };

    protected override string Message => "Blanks stand behind this backslash, so it joins nothing and the command ends here.";
}
