namespace Ferry.Cluster.Lint.Rules.Files;

/// <summary>Reported by the YAML reader.</summary>
internal sealed class InvalidYaml : DefectRule
{
    public const string Id = "FERRY-FIL001";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Error,
        Title = "The file is not valid YAML",
        Why = "Nothing behind the error can be read, by this check or by the tool that the file is for.",
        Symptom = "`error converting YAML to JSON: yaml: line 9: mapping values are not allowed in this context` from kubectl, or the like from compose and LMCache.",
        Fix = "Correct the text at the place that the finding points at; most often it is indentation by a tab, a missing blank behind a colon, or a value with a colon that wants quotes.",
        Versions = "YAML 1.1 and 1.2",
        Sources = ["YAML 1.2.2 specification"],
        GoodExample = RuleExample.Compose("""
            services:
              decode:
                image: vllm/vllm-openai:v0.14.0
                command: ["--model", "meta-llama/Llama-3.1-8B-Instruct"]
            """),
        BadExample = RuleExample.Compose("""
            services:
              decode:
                image: vllm/vllm-openai:v0.14.0
                command: ["--model", "meta-llama/Llama-3.1-8B-Instruct"
                ipc: host
            """),
    };

    protected override string Message => "This is no valid YAML, so what follows was not read.";
}
