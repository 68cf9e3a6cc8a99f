using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

/// <summary>What the rules about S3 share.</summary>
internal static class S3Settings
{
    /// <summary>An S3 tier with which every one of these rules is content.</summary>
    public static RuleExample Good { get; } = RuleExample.EnvFile(
        "PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false}\n");

    /// <summary>extra_config is set, but to something that cannot be read here: another rule says so, and this one cannot judge.</summary>
    public static bool HasUnreadExtra(ObservedProcess process) => process.LmCache.Extra is null && process.LmCache.Find("extra_config") is not null;

    /// <summary>Whether the host is Amazon's own.</summary>
    public static bool IsAmazon(LmCacheSetting url) => url.Value.Value.Contains(".amazonaws.com", StringComparison.OrdinalIgnoreCase);

    /// <summary>Where to point for a key of extra_config that is missing.</summary>
    public static SourceSpan Place(ObservedProcess process, LmCacheSetting url) => process.LmCache.Find("extra_config")?.Name.Span ?? url.Span;
}
