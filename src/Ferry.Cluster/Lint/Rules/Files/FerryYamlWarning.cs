namespace Ferry.Cluster.Lint.Rules.Files;

/// <summary>Reported by the reader of ferry.yaml.</summary>
internal sealed class FerryYamlWarning : DefectRule
{
    public const string Id = "FERRY-FIL005";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Warning,
        Title = "ferry.yaml asks for something that works worse than it looks",
        Why = "The description can be rendered, but a part of it has no effect, or cannot do across these accelerators what it does within one vendor.",
        Symptom = "`ferry render` prints the same warning.",
        Fix = "Change the key that the message names, or accept it by a suppression with the reason.",
        Versions = "ferry.yaml version 1",
        Sources = ["docs/render.md", "examples/README.md"],
        GoodExample = RuleExample.FerryYaml(FerryYamlExamples.Cpu("tensorParallel: 1")),
        BadExample = RuleExample.FerryYaml(FerryYamlExamples.Cpu("tensorParallel: 1") + "\nhandover: {kind: nixl}\n"),
    };

    protected override string Message => "This works worse than it looks.";
}
