using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class S3CloneOptions : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC036",
        Severity = LintSeverity.Warning,
        Title = "Options for Amazon's S3 against another S3",
        Why = "LMCache asks for HTTP/2 unless s3_prefer_http2 is false, which Ceph RGW, MinIO and most others do not speak; older releases also signed for S3 Express unless s3_enable_s3express is false.",
        Symptom = "`AWS_ERROR_HTTP_PROTOCOL_SWITCH_FAILURE`, or HTTP 400 on PUT.",
        Fix = "Set \"s3_prefer_http2\": false and \"s3_enable_s3express\": false in LMCACHE_EXTRA_CONFIG.",
        Versions = "LMCache S3 connector, versions that were read up to 0.4",
        Sources = ["lmcache/v1/storage_backend/connector/s3_adapter.py", "LMCache issue #3376"],
        GoodExample = S3Settings.Good,
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.S3(process) is not { } url || S3Settings.IsAmazon(url) || S3Settings.HasUnreadExtra(process)) { return; }
        string[] missing = [.. new[] { "s3_prefer_http2", "s3_enable_s3express" }.Where(key => process.LmCache.Extra?.Find(key) is not { IsFalse: true }).Select(key => $"\"{key}\": false")];
        if (missing.Length > 0)
        {
            findings.Report(Info, S3Settings.Place(process, url), $"{url.Value.Value} is not Amazon's S3; {LmCacheFacts.Spell(process, "extra_config")} should have {string.Join(" and ", missing)}.");
        }
    }
}
