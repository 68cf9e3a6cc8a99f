using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class NeverExisted : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC003",
        Severity = LintSeverity.Error,
        Title = "A setting that guides show and LMCache never had",
        Why = "The name reads as if it did something, and the table of LMCache has no such key: what it says is not taken into account.",
        Symptom = "None: the variable is not looked up, and nothing warns.",
        Fix = "Say it where LMCache reads it, as the finding tells, and remove this name.",
        Versions = "LMCache in vLLM's process (LMCacheConnectorV1), all versions",
        Sources = ["lmcache/v1/config.py, _CONFIG_DEFINITIONS", "lmcache/v1/storage_backend/connector/s3_connector.py"],
        GoodExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_S3_ENDPOINT_URL=http://s3.ceph.example\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            if (LmCacheKeys.TryNeverWas(setting.Key) is { } instead)
            {
                findings.Report(Info, setting.Span, $"{setting.Name.Value} does not exist: {instead}.");
            }
        }
    }
}
