using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class S3PathInUrl : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC032",
        Severity = LintSeverity.Error,
        Title = "The bucket stands in the path of the S3 URL",
        Why = "LMCache strips s3:// and uses the rest word for word as the host of its requests, with the key as the whole path: virtual-hosted style. A path in the URL lands in the Host header, and no bucket is addressed.",
        Symptom = "HTTP 400 or 403 on every PUT and HEAD, logged by awscrt as `AWS_ERROR_S3_INVALID_RESPONSE_STATUS`; no object appears.",
        Fix = "Write s3://BUCKET.HOST, and let the gateway serve bucket names as hosts: a wildcard DNS record and rgw_dns_name on Ceph RGW.",
        Versions = "LMCache S3 connector, versions that were read up to 0.4; some later builds may take a path",
        Sources = ["lmcache/v1/storage_backend/connector/s3_connector.py", "LMCache issue #3344", "docs.ceph.com, rgw_dns_name"],
        GoodExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://s3.ceph.example/nixl/\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.S3(process) is not { } url) { return; }
        var rest = url.Value.Value["s3://".Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) { return; }
        var host = rest[..slash];
        var bucket = rest[(slash + 1)..].Trim('/').Split('/')[0];
        var meant = bucket.Length == 0 ? $"s3://{host}" : $"s3://{bucket}.{host}";
        TextEdit[] fix = url.Value.TryExact() is { } exact && host.Length > 0 ? [new TextEdit(exact, meant)] : [];
        findings.Report(Info, url.Value.Span, $"{url.Name.Value} has a path; LMCache sends it as the host name '{rest}'. Write {meant}.", fix);
    }
}
