using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class S3ChunkMetadata : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC035",
        Severity = LintSeverity.Error,
        Title = "S3 needs save_chunk_meta false",
        Why = "The S3 connector writes the bytes of a chunk and nothing else, and asserts that extra_config says save_chunk_meta false. Shape and dtype are then taken from the local configuration, so every node must have the same.",
        Symptom = "`AssertionError` when the S3 connector is made.",
        Fix = "Set \"save_chunk_meta\": false in LMCACHE_EXTRA_CONFIG.",
        Versions = "LMCache S3 connector, versions that were read up to 0.4",
        Sources = ["lmcache/v1/storage_backend/connector/s3_connector.py"],
        GoodExample = S3Settings.Good,
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.S3(process) is not { } url || S3Settings.HasUnreadExtra(process)) { return; }
        if (process.LmCache.Extra?.Find("save_chunk_meta") is not { } meta)
        {
            findings.Report(Info, S3Settings.Place(process, url), $"{url.Name.Value} is an S3 URL, but {LmCacheFacts.Spell(process, "extra_config")} has no \"save_chunk_meta\": false.");
        }
        else if (!meta.IsFalse)
        {
            findings.Report(Info, meta.Span, $"save_chunk_meta is {meta.Text.Value}; with an S3 store it must be false.", meta.Text.TryExact() is { } exact ? [new Sources.TextEdit(exact, "false")] : []);
        }
    }
}
