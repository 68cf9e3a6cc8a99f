using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Containers;

/// <summary>Published ports do not fit the network.</summary>
internal sealed class PublishedPorts : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-CTR008",
        Severity = LintSeverity.Warning,
        Title = "Published ports do not fit the network",
        Why = "With --net=host -p is discarded. On a bridge the side channel needs a published port of the same number, since the address that " +
            "an engine advertises is the one that its peer dials.",
        Symptom = "`WARNING: Published ports are discarded when using host network mode`; or the consumer cannot reach the side channel.",
        Fix = "With --net=host leave -p out. On a bridge publish the API port and the side channel's (5600).",
        Versions = "every version",
        Sources = ["Docker documentation, host network driver", "vLLM #53018"],
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
              -p 8000:8000 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Container is not { } container || process.Kubernetes is not null) { continue; }
            if (container.IsHostNetwork && container.Ports.Count > 0)
            {
                findings.Report(Info, container.Ports[0].Span, $"{process.Name} uses the host's network, where published ports are discarded. Leave {container.Ports[0].Span.Text} out.");
            }
            // Services of one compose network reach each other without publishing.
            var isAlone = container.Network is null or { Value: "bridge" } && !process.Span.File.Path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) && !process.Span.File.Path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase);
            if (isAlone && process.UsesNixl() && SideChannel.PortOf(process) is { } side && container.Ports.All(port => port.ContainerPort != side || port.HostPort != side))
            {
                findings.Report(Info, container.Name?.Span ?? process.HeadSpan, $"{process.Name} is on Docker's bridge and does not publish its side channel: no peer on another host reaches it. Add --net=host, or -p {side}:{side}.");
            }
        }
    }
}
