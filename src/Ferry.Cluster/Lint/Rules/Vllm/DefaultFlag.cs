using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A flag that says what is the default.</summary>
internal sealed class DefaultFlag : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM003",
        Severity = LintSeverity.Info,
        Title = "A flag that says what is the default",
        Why = "Chunked prefill and prefix caching are on by default. Where one of them has to be off (prefix caching with Gaudi's heterogeneous " +
            "connector) the flag hides the decision that is missing.",
        Symptom = "Nothing shows at run time.",
        Fix = "Leave it out.",
        Versions = "vLLM 0.9 and later",
        Sources = ["vLLM vllm/engine/arg_utils.py"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --enable-chunked-prefill --enable-prefix-caching
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        foreach (var name in (string[])["--enable-chunked-prefill", "--enable-prefix-caching"])
        {
            if (engine.Arguments.Flag(name) is not { } flag || flag.Value is { } value && !value.Value.Equals("true", StringComparison.OrdinalIgnoreCase)) { continue; }
            findings.Report(Info, flag.Span, $"{name} is the default. Leave it out; --no-{name[2..]} is the flag that changes something.", Edits.Remove(flag));
        }
    }
}
