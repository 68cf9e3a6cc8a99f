using Ferry.Cluster.Lint.Ucx;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Ucx;

/// <summary>A UCX_ variable that UCX does not read.</summary>
internal sealed class MisspeltUcxVariable : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-UCX017",
        Severity = LintSeverity.Warning,
        Title = "A UCX_ variable that UCX does not read",
        Why = "UCX 1.22 warns about a UCX_ name it does not know, older versions say nothing; in both the setting has no effect.",
        Symptom = "`UCX  WARN  unused environment variable: UCX_TSL` (1.22 and later); silence before.",
        Fix = "Write the name as UCX has it.",
        Versions = "every version",
        Sources = ["UCX src/ucs/config/parser.c"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TLS=tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill --device=/dev/kfd --device=/dev/dri --net=host \
              -e UCX_TSL=tcp,sm,self \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in cluster.Processes.SelectMany(process => process.Environment.StartingWith("UCX_")))
        {
            if (UcxVariables.Meant(setting.Name.Value) is not { } meant) { continue; }
            findings.Report(Info, setting.Name.Span, $"UCX reads no {setting.Name.Value}, so it has no effect. Write {meant}.", Edits.Replace(setting.Name, meant));
        }
    }
}
