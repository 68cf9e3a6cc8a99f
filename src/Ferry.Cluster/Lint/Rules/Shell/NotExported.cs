namespace Ferry.Cluster.Lint.Rules.Shell;

/// <summary>Reported where a script is followed.</summary>
internal sealed class NotExported : DefectRule
{
    public const string Id = "FERRY-SH013";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "A variable is assigned but not exported, so the program does not see it",
        Why = "A plain assignment belongs to the shell alone. The engine, and docker for `-e NAME`, read their environment, which holds what is exported.",
        Symptom = "The engine behaves as if the setting were not there: default transport, random hash seed, no LMCache tier.",
        Fix = "Write `export` before the assignment.",
        Versions = "every POSIX shell",
        Sources = ["POSIX.1-2024, Shell Command Language, 2.12 Shell Execution Environment"],
        GoodExample = RuleExample.Shell("""
            export PYTHONHASHSEED=0
            vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            PYTHONHASHSEED=0
            vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override string Message => "The program that is started does not see this variable.";
}
