using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>The API answers everybody.</summary>
internal sealed class NoApiKey : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC006",
        Severity = LintSeverity.Warning,
        Title = "The API answers everybody",
        Why = "vllm serve listens on every address and has no key unless --api-key or VLLM_API_KEY is set; behind a router the engines are " +
            "still reachable beside it, and a request may carry kv_transfer_params that make the engine dial any host.",
        Symptom = "Nothing shows at run time.",
        Fix = "Set VLLM_API_KEY (from a secret) on every engine and the router, or bind --host to an internal address and close the port with a " +
            "firewall or a NetworkPolicy.",
        Versions = "every version",
        Sources = ["vLLM docs/usage/security.md", "vLLM #47843"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e VLLM_API_KEY \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        var hasPolicy = cluster.Documents.Any(document => document.KubernetesKind == "NetworkPolicy");
        foreach (var engine in cluster.Engines)
        {
            // A NetworkPolicy says who reaches the pods; whether it says enough is not judged here.
            if (engine.Kind == ProcessKind.VllmServe && !(hasPolicy && engine.Kubernetes is not null)) { CheckEngine(engine, findings); }
        }
    }

    private void CheckEngine(ObservedProcess engine, FindingSink findings)
    {
        if (engine.Arguments.Has("--api-key") || engine.Environment.Has("VLLM_API_KEY")) { return; }
        var host = engine.Arguments.Value("--host");
        if (host is not null && !SideChannel.IsAny(host.Value)) { return; }
        // On a bridge with every port published to loopback nobody else reaches it.
        if (engine.Container is { IsHostNetwork: false, Ports.Count: > 0 } container && container.Ports.All(port => SideChannel.IsLocal(port.HostAddress))) { return; }
        findings.Report(Info, host?.Span ?? engine.Arguments.Flag("--port")?.Span ?? engine.HeadSpan,
            $"{engine.Name} listens on every address and asks for no key. Set VLLM_API_KEY from a secret here and on the router, or bind --host to an internal address.");
    }
}
