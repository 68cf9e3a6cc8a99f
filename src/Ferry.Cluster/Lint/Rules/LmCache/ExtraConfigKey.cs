using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class ExtraConfigKey : LmCacheRule
{
    private static readonly string[] Known =
    [
        "use_odirect", "save_chunk_meta", "save_only_first_rank", "enable_nixl_storage", "nixl_backend", "nixl_pool_size", "nixl_presence_cache", "nixl_presence_cache_only",
        "nixl_use_hugepages", "nixl_path", "nixl_backend_params", "audit_backend_enabled", "audit_actual_remote_url",
        "s3_region", "s3_num_io_threads", "s3_prefer_http2", "s3_enable_s3express", "disable_tls", "aws_access_key_id", "aws_secret_access_key", "s3_part_size",
        "s3_max_io_concurrency", "s3_max_inflight_reqs", "s3_file_prefix", "remote_enable_mla_worker_id_as0", "lookup_server_worker_ids", "first_rank_max_blocking_time", "get_blocking_failed_threshold",
    ];

    private static readonly string[] Prefixes = ["storage_plugin.", "external_backend.", "remote_storage_plugin.", "runtime_plugin.", "mooncake", "transfer_timeout", "global_segment", "local_buffer", "protocol", "device_name", "master_server", "local_hostname", "metadata_server", "gds_", "infinistore", "eic_", "fs_", "internal_api_"];

    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC037",
        Severity = LintSeverity.Warning,
        Title = "A key of extra_config that nothing is known to read",
        Why = "extra_config is a bag that backends look into by name: a key that none of them asks for does nothing. s3_use_path_style is one that demos carry.",
        Symptom = "None; the default stays in force.",
        Fix = "Correct the name, or remove it.",
        Versions = "LMCache of mid-2026; a plugin of your own may read more",
        Sources = ["lmcache/v1/storage_backend (extra_config look-ups)"],
        GoodExample = S3Settings.Good,
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=s3://nixl.s3.ceph.example\nLMCACHE_EXTRA_CONFIG={\"s3_region\":\"default\",\"save_chunk_meta\":false,\"disable_tls\":true,\"s3_enable_s3express\":false,\"s3_prefer_http2\":false,\"s3_use_path_style\":true}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var member in process.LmCache.Extra?.Members ?? [])
        {
            var key = member.Key.Value;
            if (Known.Contains(key) || Prefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))) { continue; }
            var nearest = NearestName.Find(key, Known);
            TextEdit[] fix = nearest is not null && LmCacheFacts.IsTypo(key, nearest) && member.Key.TryExact() is { } exact ? [new TextEdit(exact, nearest)] : [];
            findings.Report(Info, member.Key.Span, $"No backend of LMCache is known to read '{key}' in extra_config.{(nearest is null ? "" : $" Did you mean {nearest}?")}", fix);
        }
    }
}
