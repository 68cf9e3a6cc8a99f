namespace Ferry.Cluster.Lint.Rules.Files;

/// <summary>Reported by the reader of all files.</summary>
internal sealed class TemplateFile : DefectRule
{
    public const string Id = "FERRY-FIL003";

    public override RuleInfo Info { get; } = new()
    {
        Id = Id,
        Severity = LintSeverity.Warning,
        Title = "A template cannot be checked before it is filled in",
        Why = "What the placeholders become decides what runs; the text between them is not yet YAML.",
        Symptom = "No process of this file is in the summary.",
        Fix = "Render it first and check what comes out: `helm template NAME CHART | ferry lint -`.",
        Versions = "Helm and Jinja templates",
        Sources = ["helm.sh/docs, \"helm template\""],
        GoodExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata:
              name: decode
            spec:
              containers:
                - name: vllm
                  image: vllm/vllm-openai:v0.14.0
                  args: ["--model", "meta-llama/Llama-3.1-8B-Instruct"]
            """),
        BadExample = RuleExample.Kubernetes("""
            apiVersion: v1
            kind: Pod
            metadata:
              name: {{ .Release.Name }}-decode
            spec:
              containers:
                - name: vllm
                  image: {{ .Values.image }}
            """),
    };

    protected override string Message => "This is a template; render it (helm template … | ferry lint -) and check the result.";
}
