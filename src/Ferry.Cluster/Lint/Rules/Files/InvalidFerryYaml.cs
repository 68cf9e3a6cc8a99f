namespace Ferry.Cluster.Lint.Rules.Files;

/// <summary>Reported by the reader of ferry.yaml.</summary>
internal sealed class InvalidFerryYaml : DefectRule
{
    public const string Id = "FERRY-FIL004";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "ferry.yaml says something that cannot be",
        Why = "An unknown key, a value out of its range or a combination that no deployment can have: nothing is rendered, verified or planned from such a file.",
        Symptom = "`ferry render`, `ferry verify` and `ferry plan` stop with the same message and exit code 2.",
        Fix = "Correct the value as the message says; the schema (`ferry schema`) gives an editor the keys and their ranges.",
        Versions = "ferry.yaml version 1",
        Sources = ["docs/render.md", "examples/README.md"],
        GoodExample = RuleExample.FerryYaml(FerryYamlExamples.Cpu("tensorParallel: 1")),
        BadExample = RuleExample.FerryYaml(FerryYamlExamples.Cpu("tensorParalel: 1")),
    };

    protected override string Message => "This description cannot be used.";
}
