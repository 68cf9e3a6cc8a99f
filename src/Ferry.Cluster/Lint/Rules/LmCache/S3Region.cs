using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class S3Region : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC033",
        Severity = LintSeverity.Error,
        Title = "The S3 region is missing from extra_config",
        Why = "The S3 connector asserts s3_region in extra_config. It does not read AWS_DEFAULT_REGION or AWS_REGION.",
        Symptom = "`AssertionError: s3_region is required` at start.",
        Fix = "Add \"s3_region\" to LMCACHE_EXTRA_CONFIG; a Ceph RGW takes any name, such as \"default\".",
        Versions = "LMCache S3 connector, versions that were read up to 0.4",
        Sources = ["lmcache/v1/storage_backend/connector/s3_adapter.py"],
        GoodExample = S3Settings.Good,
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nAWS_DEFAULT_REGION=default\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.S3(process) is not { } url || process.LmCache.Extra?.Find("s3_region") is not null || S3Settings.HasUnreadExtra(process)) { return; }
        var region = process.Environment.Find("AWS_DEFAULT_REGION") ?? process.Environment.Find("AWS_REGION");
        if (region is not null)
        {
            findings.Report(Info, region.Span, $"{region.Name.Value} is not read by LMCache; {url.Name.Value} (line {url.Span.Line}) needs \"s3_region\" in {LmCacheFacts.Spell(process, "extra_config")}.");
        }
        else
        {
            findings.Report(Info, url.Span, $"{url.Name.Value} is an S3 URL, but {LmCacheFacts.Spell(process, "extra_config")} has no \"s3_region\".");
        }
    }
}
