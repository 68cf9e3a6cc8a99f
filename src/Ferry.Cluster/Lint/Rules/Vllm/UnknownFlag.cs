using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A flag that vllm serve does not have.</summary>
internal sealed class UnknownFlag : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM001",
        Severity = LintSeverity.Warning,
        Title = "A flag that vllm serve does not have",
        Why = "argparse refuses it, and with it the start. The list here is that of vLLM 0.11 to 0.22, with the server's flags of 0.28; a flag that is " +
            "near a known one is a typing error.",
        Symptom = "`vllm serve: error: unrecognized arguments: --max-model-length`.",
        Fix = "Write the flag as vLLM has it.",
        Versions = "vLLM 0.11 to 0.28",
        Sources = ["vLLM vllm/engine/arg_utils.py", "vLLM vllm/entrypoints/openai/cli_args.py", "vllm serve --help=all of 0.22"],
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
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-length 8192
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        foreach (var flag in engine.Arguments.Flags)
        {
            if (flag.Name.HasUnknown || VllmFlags.Meant(flag.Key) is not { } meant) { continue; }
            var written = flag.Name.Value.Split('.')[0];
            findings.Report(Info, flag.Name.Span, $"vllm serve has no {written}. Did you mean {meant}?", flag.Name.Value.Contains('.', StringComparison.Ordinal) ? [] : Edits.Replace(flag.Name, meant));
        }
    }
}
