using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>VLLM's development mode on a server.</summary>
internal sealed class DevMode : EngineRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC010",
        Severity = LintSeverity.Error,
        Title = "vLLM's development mode on a server",
        Why = "VLLM_SERVER_DEV_MODE=1 adds endpoints that pause, put to sleep, reset the prefix cache and abort requests, without a key.",
        Symptom = "Nothing, until it is used.",
        Fix = "Take VLLM_SERVER_DEV_MODE out.",
        Versions = "every version",
        Sources = ["vLLM docs/usage/security.md"],
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
              -e VLLM_SERVER_DEV_MODE=1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    protected override void Check(ObservedProcess engine, FindingSink findings)
    {
        if (engine.IsOn("VLLM_SERVER_DEV_MODE")) { findings.Report(Info, engine.Environment.Find("VLLM_SERVER_DEV_MODE")!.Span, $"{engine.Name} opens its development endpoints (pause, sleep, reset, abort) to everybody. Take VLLM_SERVER_DEV_MODE out."); }
    }
}
