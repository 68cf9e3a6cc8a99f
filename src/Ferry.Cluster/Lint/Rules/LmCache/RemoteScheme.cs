using Ferry.Cluster.Observed;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class RemoteScheme : LmCacheRule
{
    private static readonly string[] Known =
    [
        "lm", "redis", "rediss", "unix", "redis-sentinel", "redis-cluster", "valkey", "valkeys", "s3", "cuobj+s3", "fs", "infinistore", "mooncakestore", "hf3fs", "eic", "azure", "gcs",
        "bigtable", "sagemaker-hyperpod", "hfbucket", "couchbase", "shmfile", "audit", "blackhole", "mock", "benchmark", "external",
    ];

    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC038",
        Severity = LintSeverity.Error,
        Title = "LMCache has no connector for this remote URL",
        Why = "The scheme of remote_url chooses the connector. http:// and https:// name none; an S3 gateway is s3://, Redis is redis://, Ferry's exchange speaks both redis:// and lm://.",
        Symptom = "`ValueError: Unsupported remote url` or no RemoteBackend in the list that LMCache logs at start.",
        Fix = "Write a scheme that LMCache knows, with // behind the colon.",
        Versions = "LMCache of mid-2026",
        Sources = ["lmcache/v1/storage_backend/connector"],
        GoodExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=redis://10.0.0.5:6379\n"),
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=http://s3.ceph.example/nixl\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.RemoteUrl(process) is not { } url || (url.Value.HasUnknown && !url.Value.Value.Contains("://", StringComparison.Ordinal))) { return; }
        var value = url.Value.Value.Trim().Trim('"', '\'');
        var at = value.IndexOf("://", StringComparison.Ordinal);
        if (at <= 0)
        {
            findings.Report(Info, url.Value.Span, $"{url.Name.Value} has no scheme; write it as scheme://host:port, such as redis://10.0.0.5:6379.");
            return;
        }
        var scheme = value[..at];
        if (Known.Contains(scheme, StringComparer.Ordinal) || scheme.StartsWith('$')) { return; }
        var hint = scheme is "http" or "https" ? " An S3 gateway is written s3://BUCKET.HOST." : NearestName.Find(scheme, Known) is { } nearest ? $" Did you mean {nearest}://?" : "";
        findings.Report(Info, url.Value.Span, $"LMCache has no connector for {scheme}://.{hint}");
    }
}
