namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported by the shell reader.</summary>
internal sealed class TypographicCharacter : DefectRule
{
    public const string Id = "FERRY-SH007";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A typographic quote or dash is no quote or dash to the shell",
        Why = "Word processors and web pages turn straight quotes into curly ones and two dashes into one long one. The shell takes them for letters: nothing is quoted, no option is recognised.",
        Symptom = "`vllm serve: error: unrecognized arguments: –port 8000`; JSON errors at the first character.",
        Fix = "Type the straight character.",
        Versions = "every shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.2 Quoting"],
        GoodExample = RuleExample.Shell("vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000\n"),
        BadExample = RuleExample.Shell("vllm serve meta-llama/Llama-3.1-8B-Instruct \u2013port 8000\n"),
    };

    protected override string Message => "This character only looks like a quote or a dash.";
}
