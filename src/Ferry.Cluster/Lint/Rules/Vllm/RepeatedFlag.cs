using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A flag is given twice with different values.</summary>
internal sealed class RepeatedFlag : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM009",
        Severity = LintSeverity.Warning,
        Title = "A flag is given twice with different values",
        Why = "The last one wins.",
        Symptom = "The server runs with the other value.",
        Fix = "Leave one of them.",
        Versions = "every version",
        Sources = ["Python documentation, argparse"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 --max-model-len 16384
            """),
    };

    /// <summary>Flags that collect their values.</summary>
    private static readonly HashSet<string> Lists = new(StringComparer.Ordinal) { "--middleware", "--lora-modules", "--served-model-name", "--override-attention-dtype", "--api-key", "--allowed-origins" };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        foreach (var group in engine.Arguments.Flags.Where(flag => !flag.Key.Contains('.', StringComparison.Ordinal) && !Lists.Contains(flag.Key)).GroupBy(flag => flag.Key, StringComparer.Ordinal))
        {
            ArgumentFlag[] flags = [.. group];
            if (flags.Length < 2 || flags.Select(flag => flag.Value?.Value).Distinct(StringComparer.Ordinal).Count() < 2) { continue; }
            findings.Report(Info, flags[0].Span, $"{group.Key} of {engine.Name} is given {flags.Length} times; the last, {flags[^1].Value?.Value ?? "without a value"} (line {flags[^1].Span.Line}), counts. Leave one.");
        }
    }
}
