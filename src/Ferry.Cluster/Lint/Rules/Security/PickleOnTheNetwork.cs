using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>A port that unpickles what it is sent, open to the network.</summary>
internal sealed class PickleOnTheNetwork : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC007",
        Severity = LintSeverity.Error,
        Title = "A port that unpickles what it is sent, open to the network",
        Why = "LMCache's MP server takes pickled device handles and vLLM's own ZMQ channels take pickle: whoever reaches the port runs code.",
        Symptom = "Nothing, until it is used.",
        Fix = "Bind the server to localhost (--host localhost), and keep VLLM_ALLOW_INSECURE_SERIALIZATION unset.",
        Versions = "every version",
        Sources = ["vLLM docs/usage/security.md", "LMCache lmcache/v1/multiprocess"],
        GoodExample = RuleExample.Shell("""
            lmcache server --host localhost --port 5555 --http-host 127.0.0.1 --l1-size-gb 100 --eviction-policy LRU
            """),
        BadExample = RuleExample.Shell("""
            lmcache server --host 0.0.0.0 --port 5555 --http-host 127.0.0.1 --l1-size-gb 100 --eviction-policy LRU
            """),
    };

    private static readonly int[] PicklePorts = [5555, 5557];

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            if (process.Kind == ProcessKind.LmCacheServer && process.Arguments.Value("--host") is { HasUnknown: false } host && !SideChannel.IsLocal(host.Value))
            {
                findings.Report(Info, host.Span, $"{process.Name} unpickles what it is sent and listens on {host.Value}: whoever reaches the port runs code. Write --host localhost.", Edits.Replace(host, "localhost"));
            }
            if (process.IsOn("VLLM_ALLOW_INSECURE_SERIALIZATION"))
            {
                findings.Report(Info, process.Environment.Find("VLLM_ALLOW_INSECURE_SERIALIZATION")!.Span, $"VLLM_ALLOW_INSECURE_SERIALIZATION lets {process.Name} unpickle what its sockets are sent. Take it out.");
            }
            foreach (var port in process.Container?.Ports.Where(port => PicklePorts.Contains(port.ContainerPort) && !SideChannel.IsLocal(port.HostAddress)) ?? [])
            {
                findings.Report(Info, LintSeverity.Warning, port.Span, $"{process.Name} publishes {port.ContainerPort}, a ZMQ port without a key ({(port.ContainerPort == 5555 ? "LMCache's server, which unpickles" : "KV events, which hold token ids")}). Write 127.0.0.1:{port.HostPort}:{port.ContainerPort}.");
            }
        }
    }
}
