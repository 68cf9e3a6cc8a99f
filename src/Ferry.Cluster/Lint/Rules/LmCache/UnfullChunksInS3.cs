using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class UnfullChunksInS3 : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC019",
        Severity = LintSeverity.Error,
        Title = "S3 takes whole chunks only, and this engine saves partial ones",
        Why = "The S3 connector keeps no header, so an object must be exactly one full chunk. save_unfull_chunk saves the last partial chunk too, and prefill-decode mode (and blending) switches it on whatever is configured.",
        Symptom = "`Saving unfull chunk is not supported` assertion when the first prompt ends.",
        Fix = "Use a store that keeps chunk metadata (RESP, lm://) beside prefill-decode mode, or hand over without LMCache's PD mode; else set save_unfull_chunk to false.",
        Versions = "LMCache S3 connector, versions that were read up to 0.4",
        Sources = ["lmcache/v1/storage_backend/connector/s3_connector.py", "lmcache/v1/config.py, _validate_config (PD forces save_unfull_chunk)"],
        GoodExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_SAVE_UNFULL_CHUNK=False\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_SAVE_UNFULL_CHUNK=True\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.S3(process) is not { } url) { return; }
        if (LmCacheFacts.IsPd(process) && process.LmCache.Find("enable_pd") is { } pd)
        {
            findings.Report(Info, url.Span, $"{pd.Name.Value} (line {pd.Span.Line}) forces save_unfull_chunk, which the S3 store of {url.Name.Value} refuses.");
        }
        else if (process.LmCache.IsTrue("enable_blending", false) && process.LmCache.Find("enable_blending") is { } blending)
        {
            findings.Report(Info, url.Span, $"{blending.Name.Value} (line {blending.Span.Line}) forces save_unfull_chunk, which the S3 store of {url.Name.Value} refuses.");
        }
        else if (process.LmCache.IsTrue("save_unfull_chunk", false) && process.LmCache.Find("save_unfull_chunk") is { } unfull)
        {
            findings.Report(Info, unfull.Span, $"{unfull.Name.Value} is on, and the S3 store of {url.Name.Value} (line {url.Span.Line}) takes full chunks only.");
        }
    }
}
