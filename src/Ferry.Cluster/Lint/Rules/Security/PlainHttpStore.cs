using Ferry.Cluster.Lint.Vllm;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.Security;

/// <summary>The object store is reached over plain http.</summary>
internal sealed class PlainHttpStore : LintRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-SEC005",
        Severity = LintSeverity.Warning,
        Title = "The object store is reached over plain http",
        Why = "KV holds the users' prompts, readable by whoever sees the packets, and signed requests can be altered in their body where " +
            "payloads are not signed.",
        Symptom = "Nothing shows at run time.",
        Fix = "Use https, with the store's CA certificate in the container.",
        Versions = "every version",
        Sources = ["Ceph documentation, radosgw (rgw_frontends, ssl_certificate)"],
        GoodExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
        BadExample = RuleExample.Shell("""
            docker run -d --name prefill-mi300x --net=host --ipc=host \
              --device=/dev/kfd --device=/dev/dri --device=/dev/infiniband --group-add video --group-add render \
              --cap-add=IPC_LOCK --ulimit memlock=-1 \
              -e PYTHONHASHSEED=0 -e LMCACHE_S3_ENDPOINT_URL=http://s3.ceph.example \
              rocm/vllm:v0.20.0 vllm serve meta-llama/Llama-3.1-8B-Instruct
            """),
    };

    private static readonly string[] Variables = ["LMCACHE_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "S3_ENDPOINT_URL", "FERRY_S3_ENDPOINT"];

    public override void Check(ObservedCluster cluster, FindingSink findings)
    {
        foreach (var process in cluster.Processes)
        {
            foreach (var value in Variables.Select(process.Environment.Value).OfType<SourcedText>().Where(value => IsPlain(value.Value)))
            {
                findings.Report(Info, value.Span, $"{process.Name} reaches its object store by {value.Value}, in the clear. Use https.");
            }
            if (process.LmCache.Extra?.Find("disable_tls") is { IsTrue: true } off && !IsLoopback(process.LmCache.Value("remote_url")?.Value ?? ""))
            {
                findings.Report(Info, off.Span, $"disable_tls is true: {process.Name} sends KV, and with it prompts, to its object store in the clear. Use TLS.");
            }
        }
    }

    private static bool IsPlain(string url) => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !IsLoopback(url);

    private static bool IsLoopback(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal);
        return start >= 0 && SideChannel.IsLocal(url[(start + 3)..].Split('/', ':')[0]);
    }
}
