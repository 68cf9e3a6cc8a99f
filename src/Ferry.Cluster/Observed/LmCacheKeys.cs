using Ferry.Kv.Text;

namespace Ferry.Cluster.Observed;

/// <summary>What LMCache reads (lmcache/v1/config.py, the definition and alias tables, mid-2026): any other name is not looked up.</summary>
internal static class LmCacheKeys
{
    private static readonly string[] None = [];

    private static readonly LmCacheKey[] Table =
    [
        Whole("chunk_size"), Truth("local_cpu"), Number("max_local_cpu_size"), Truth("local_cpu_use_hugepages"), Number("reserve_local_cpu_size"),
        Text("local_disk"), Text("local_disk_path_sharding"), Text("gds_path_sharding"), Number("max_local_disk_size"),
        Text("remote_url"), List("remote_storage_plugins"), List("storage_plugins", "external_backends"), List("runtime_plugin_locations", "plugin_locations"),
        Text("remote_serde", ["naive", "cachegen", "kivi", "none", "null"]), Truth("use_layerwise"), Truth("save_decode_cache"), Truth("save_unfull_chunk"),
        Text("pre_caching_hash_algorithm", ["builtin", "sha256", "sha256_cbor", "sha256_cbor_64bit", "xxhash", "xxhash_cbor"]),
        Truth("enable_blending"), List("blend_recompute_ratios"), List("blend_thresholds"), List("blend_check_layers"), Whole("blend_min_tokens"), Text("blend_special_str"),
        List("retrieve_locations"), Text("store_location"),
        Truth("enable_p2p"), Text("p2p_host"), List("p2p_init_ports"), List("p2p_lookup_ports"),
        Truth("enable_controller"), Text("lmcache_instance_id"), Text("controller_pull_url", None, "controller_url"), Text("controller_reply_url"),
        List("lmcache_worker_ports", "lmcache_worker_port"), List("lmcache_worker_ids"), Number("lmcache_worker_heartbeat_delay_time"), Number("lmcache_worker_heartbeat_time"),
        Truth("enable_pd", "enable_xpyd"), Text("pd_role", ["sender", "receiver"], "nixl_role"), Whole("pd_buffer_size", "nixl_buffer_size"),
        Text("pd_buffer_device"), Text("pd_peer_host", None, "nixl_peer_host"), List("pd_peer_init_port", "nixl_peer_init_port"), List("pd_peer_alloc_port", "nixl_peer_alloc_port"),
        List("pd_peer_query_port"), Text("pd_proxy_host", None, "nixl_proxy_host"), Whole("pd_proxy_port", "nixl_proxy_port"), Truth("pd_skip_proxy_notification"), Number("pd_allocation_timeout_sec"), Number("pd_shutdown_timeout_sec"),
        Number("pd_condition_poll_interval_sec"), Whole("pd_max_prefill_len"), Text("pd_backend_mode", ["async", "sync"]), Truth("pd_bidirectional"),
        Text("transfer_channel", ["nixl", "hccl", "hixl"]), List("nixl_backends"), Text("nixl_buffer_device"),
        Text("cache_policy", ["LRU", "LFU", "FIFO", "MRU", "S3FIFO", "COST_AWARE"]), Number("cost_aware_half_life_seconds"), Number("cost_aware_ewma_alpha"), Text("numa_mode"),
        Whole("blocking_timeout_secs"), Whole("lookup_timeout_ms"), Truth("enable_async_loading"), Whole("min_retrieve_tokens"), Number("hit_miss_ratio"),
        Text("external_lookup_client"), List("lookup_server_worker_ids"), Truth("enable_scheduler_bypass_lookup"), Whole("priority_limit"),
        Whole("pin_timeout_sec"), Whole("pin_check_interval_sec"), Truth("enable_lazy_memory_allocator"), Number("lazy_memory_initial_ratio"),
        Number("lazy_memory_expand_trigger_ratio"), Number("lazy_memory_step_ratio"), Number("lazy_memory_safe_size"),
        Text("gds_path"), Whole("gds_buffer_size"), Truth("use_gds"), Text("gds_backend"), Text("maru_path"), Number("maru_pool_size"),
        Truth("internal_api_server_enabled"), Text("internal_api_server_host"), Whole("internal_api_server_port_start"), List("internal_api_server_include_index_list"),
        Text("internal_api_server_socket_path_prefix"), Truth("enable_kv_events"), Truth("enable_chunk_statistics"), Truth("py_enable_gc"), Truth("use_gpu_connector_v3"),
        Truth("enable_hidden_state_cache"), Number("max_hidden_state_cpu_size"), List("hidden_state_layers"), Text("hidden_states_retrieve_mode"),
        Truth("chunk_statistics_auto_start_statistics"), Number("chunk_statistics_auto_exit_timeout_hours"), Whole("chunk_statistics_auto_exit_target_unique_chunks"),
        Text("chunk_statistics_strategy"), Text("mp_host"), Whole("mp_port"), Text("audit_actual_remote_url"), List("script_allowed_imports"), Text("remote_config_url"), Text("app_id"), new("extra_config", LmCacheType.Map, None, None),
    ];

    /// <summary>Names that guides still carry and that nothing reads any more, with what took their place.</summary>
    private static readonly Dictionary<string, string> Gone = new(StringComparer.Ordinal)
    {
        ["use_experimental"] = "the code that it switched on is the only one now; remove it",
        ["enable_nixl"] = "LMCACHE_ENABLE_PD (enable_pd) took its place",
        ["nixl_peer_port"] = "LMCACHE_PD_PEER_INIT_PORT and LMCACHE_PD_PEER_ALLOC_PORT took its place",
        ["nixl_enable_gc"] = "nothing took its place; remove it",
        ["nixl_receiver_host"] = "LMCACHE_PD_PEER_HOST (pd_peer_host) took its place",
        ["nixl_receiver_port"] = "LMCACHE_PD_PEER_INIT_PORT (pd_peer_init_port) took its place",
        ["local_device"] = "LMCACHE_LOCAL_CPU (local_cpu) and LMCACHE_LOCAL_DISK (local_disk) took its place",
        ["pipelined_backend"] = "nothing took its place; remove it",
        ["error_handling"] = "nothing took its place; remove it",
        ["distributed_url"] = "LMCACHE_CONTROLLER_PULL_URL (controller_pull_url) took its place",
    };

    /// <summary>Names that people expect to exist and that never did, with what does the work.</summary>
    private static readonly Dictionary<string, string> NeverWere = new(StringComparer.Ordinal)
    {
        ["s3_endpoint_url"] = "the endpoint is the host in LMCACHE_REMOTE_URL (s3://BUCKET.HOST)",
        ["s3_endpoint"] = "the endpoint is the host in LMCACHE_REMOTE_URL (s3://BUCKET.HOST); s3_endpoint belongs to the MP server's --l2-adapter",
        ["s3_region"] = "the region is s3_region inside LMCACHE_EXTRA_CONFIG: '{\"s3_region\": \"default\"}'",
        ["s3_bucket"] = "the bucket is the first part of the host in LMCACHE_REMOTE_URL (s3://BUCKET.HOST)",
        ["redis_url"] = "Redis is named by LMCACHE_REMOTE_URL=redis://HOST:PORT",
        ["redis_host"] = "Redis is named by LMCACHE_REMOTE_URL=redis://HOST:PORT",
        ["disk_path"] = "the directory is LMCACHE_LOCAL_DISK",
        ["local_disk_path"] = "the directory is LMCACHE_LOCAL_DISK",
        ["max_cpu_size"] = "the size is LMCACHE_MAX_LOCAL_CPU_SIZE, in GiB a rank",
        ["max_disk_size"] = "the size is LMCACHE_MAX_LOCAL_DISK_SIZE, in GiB a rank",
        ["disable_tls"] = "it stands inside LMCACHE_EXTRA_CONFIG: '{\"disable_tls\": true}'",
        ["save_chunk_meta"] = "it stands inside LMCACHE_EXTRA_CONFIG: '{\"save_chunk_meta\": false}'",
    };

    private static readonly Dictionary<string, LmCacheKey> ByName = Table
        .SelectMany(key => key.OldNames.Append(key.Name).Select(name => (name, key))).ToDictionary(entry => entry.name, entry => entry.key, StringComparer.Ordinal);

    public static IEnumerable<string> Names => Table.Select(key => key.Name);

    /// <summary>The key of a name or of one of its old names; null when LMCache does not know it.</summary>
    public static LmCacheKey? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>What became of a name that was read once, or null.</summary>
    public static string? TryGone(string name) => Gone.GetValueOrDefault(name);

    /// <summary>What does the work of a name that never was, or null.</summary>
    public static string? TryNeverWas(string name) => NeverWere.GetValueOrDefault(name);

    /// <summary>The known name nearest to an unknown one, or null.</summary>
    public static string? Nearest(string name) => NearestName.Find(name, Names);

    private static LmCacheKey Text(string name, string[]? values = null, params string[] old) => new(name, LmCacheType.Text, values ?? None, old);

    private static LmCacheKey Whole(string name, params string[] old) => new(name, LmCacheType.Whole, None, old);

    private static LmCacheKey Number(string name) => new(name, LmCacheType.Number, None, None);

    private static LmCacheKey Truth(string name, params string[] old) => new(name, LmCacheType.Truth, None, old);

    private static LmCacheKey List(string name, params string[] old) => new(name, LmCacheType.List, None, old);
}
