using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Vllm;

/// <summary>A flag that vLLM has removed.</summary>
internal sealed class RemovedFlag : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-VLLM002",
        Severity = LintSeverity.Error,
        Title = "A flag that vLLM has removed",
        Why = "--device went before 0.11 (the platform is found by itself), --use-v2-block-manager, --preemption-mode and others with the V0 engine; " +
            "--swap-space, --task, --rope-scaling, --guided-decoding-backend and others are gone in 0.22.",
        Symptom = "`vllm serve: error: unrecognized arguments: --device hpu`.",
        Fix = "Take it out.",
        Versions = "vLLM 0.11 and later; some flags 0.22 and later, where the image names its version",
        Sources = ["vLLM vllm/engine/arg_utils.py", "vllm serve --help=all of 0.22"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name decode-gaudi3 --net=host --ipc=host --runtime=habana -e HABANA_VISIBLE_DEVICES=0,1,2,3 \
              --device=/dev/infiniband --cap-add=sys_nice --cap-add=IPC_LOCK --ulimit memlock=-1 \
              vllm-gaudi:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct --device hpu
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        // An image that does not name its version may still be an old one.
        var isLater = VllmVersion.Of(engine) >= VllmFlags.LaterVersion;
        foreach (var flag in engine.Arguments.Flags)
        {
            if (VllmFlags.Removed.TryGetValue(flag.Key, out var fate) || (isLater && VllmFlags.RemovedLater.TryGetValue(flag.Key, out fate))) { findings.Report(Info, flag.Span, $"{flag.Key} {fate}. Take it out.", Edits.Remove(flag)); }
        }
    }
}
