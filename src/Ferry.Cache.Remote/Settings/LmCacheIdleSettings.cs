using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>LMCache's settings that have no effect in Ferry, and why.</summary>
internal static class LmCacheIdleSettings
{
    private const string Plugins = "remote tiers are named by LMCACHE_REMOTE_URL; Ferry loads no Python";
    private const string Dead = "LMCache's own table no longer has it";

    private static readonly string[] Gds = ["LOCAL_DISK_PATH_SHARDING", "GDS_PATH", "GDS_PATH_SHARDING", "GDS_BUFFER_SIZE", "USE_GDS", "GDS_BACKEND", "MARU_PATH", "MARU_POOL_SIZE"];
    private static readonly string[] PluginKeys = ["REMOTE_STORAGE_PLUGINS", "STORAGE_PLUGINS", "EXTERNAL_BACKENDS", "RUNTIME_PLUGIN_LOCATIONS", "PLUGIN_LOCATIONS", "REMOTE_CONFIG_URL", "APP_ID"];
    private static readonly string[] DeadKeys = ["USE_EXPERIMENTAL", "ENABLE_NIXL", "NIXL_PEER_HOST", "NIXL_PEER_PORT", "NIXL_ENABLE_GC"];

    /// <summary>Said with a warning: it belongs to a client, or Ferry's way needs no such setting.</summary>
    public static IEnumerable<Setting<CacheDraft>> Explained(CacheHost host)
    {
        var engine = host == CacheHost.Engine;
        return
        [
            .. engine ? Group("Ferry's disk tier does its own direct I/O", Gds) : [],
            .. engine ? Group(Plugins, PluginKeys) : [],
            .. engine ? Group("it belongs to LMCache's Python process", DeadKeys) : [],
            Idle("REMOTE_SERDE", engine ? "chunks are stored as Ferry records with a checksum" : "the clients serialise; only naive bytes are converted, others pass as they are"),
            .. Group("the arena is one allocation of the size of the memory tier", "RESERVE_LOCAL_CPU_SIZE", "NUMA_MODE", "ENABLE_LAZY_MEMORY_ALLOCATOR", "LAZY_MEMORY_INITIAL_RATIO",
                "LAZY_MEMORY_EXPAND_TRIGGER_RATIO", "LAZY_MEMORY_STEP_RATIO", "LAZY_MEMORY_SAFE_SIZE"),
            Idle("USE_LAYERWISE", engine ? "chunks are moved with all their layers" : "the clients cut chunks by layer or not; both kinds of key are served"),
            .. Group(engine ? "Ferry has no blending: a chunk is used only where all tokens before it are equal" : "the clients blend",
                "ENABLE_BLENDING", "BLEND_RECOMPUTE_RATIOS", "BLEND_THRESHOLDS", "BLEND_CHECK_LAYERS", "BLEND_MIN_TOKENS", "BLEND_SPECIAL_STR"),
            .. Group("every tier is asked, nearest first", "RETRIEVE_LOCATIONS", "STORE_LOCATION"),
            .. Group(engine ? "nodes find each other through the router's kv_transfer_params" : "the clients find each other; they find the exchange by their remote URL",
                "ENABLE_P2P", "P2P_HOST", "P2P_INIT_PORTS", "P2P_LOOKUP_PORTS", "ENABLE_CONTROLLER", "LMCACHE_INSTANCE_ID", "CONTROLLER_PULL_URL", "CONTROLLER_URL",
                "CONTROLLER_REPLY_URL", "LMCACHE_WORKER_PORTS", "LMCACHE_WORKER_PORT", "LMCACHE_WORKER_IDS", "LMCACHE_WORKER_HEARTBEAT_DELAY_TIME", "LMCACHE_WORKER_HEARTBEAT_TIME"),
            .. Group(engine ? "the decode node reads from the prefill node's memory tier, so there is no second buffer to size or to address" : "both sides meet in the memory tier, so there is no second buffer to size or to address",
                "PD_BUFFER_SIZE", "PD_BUFFER_DEVICE", "PD_PEER_HOST", "PD_PEER_INIT_PORT", "PD_PEER_ALLOC_PORT", "PD_PEER_QUERY_PORT", "PD_PROXY_HOST", "PD_PROXY_PORT", "PD_SKIP_PROXY_NOTIFICATION",
                "PD_BIDIRECTIONAL", "PD_ALLOCATION_TIMEOUT_SEC", "PD_SHUTDOWN_TIMEOUT_SEC", "PD_CONDITION_POLL_INTERVAL_SEC", "PD_MAX_PREFILL_LEN", "PD_BACKEND_MODE", "NIXL_BACKENDS", "NIXL_BUFFER_SIZE", "NIXL_BUFFER_DEVICE"),
            .. Group(engine ? "loads never block the engine" : "it tunes the client's look-up",
                "LOOKUP_TIMEOUT_MS", "ENABLE_ASYNC_LOADING", "EXTERNAL_LOOKUP_CLIENT", "LOOKUP_SERVER_WORKER_IDS", "ENABLE_SCHEDULER_BYPASS_LOOKUP"),
            .. Group(engine ? "every found chunk is used" : "the clients decide what they use and save", "MIN_RETRIEVE_TOKENS", "HIT_MISS_RATIO", "PRIORITY_LIMIT", "FORCE_SKIP_SAVE"),
            .. Group("leases end by themselves", "PIN_TIMEOUT_SEC", "PIN_CHECK_INTERVAL_SEC"),
            .. Group("figures stand in /metrics", "INTERNAL_API_SERVER_ENABLED", "INTERNAL_API_SERVER_HOST", "INTERNAL_API_SERVER_PORT_START", "INTERNAL_API_SERVER_INCLUDE_INDEX_LIST", "INTERNAL_API_SERVER_SOCKET_PATH_PREFIX",
                "ENABLE_KV_EVENTS", "ENABLE_CHUNK_STATISTICS", "LOG_LEVEL", "TRACK_USAGE"),
            .. Group("it belongs to LMCache's Python process", "PY_ENABLE_GC", "USE_GPU_CONNECTOR_V3", "ENABLE_HIDDEN_STATE_CACHE", "USE_UPSTREAM_MP"),
        ];
    }

    /// <summary>An exchange is a store that people rely on: names that would leave it other than they believe stop the start.</summary>
    public static IEnumerable<Setting<CacheDraft>> Refused(CacheHost host) => host == CacheHost.Engine
        ? []
        :
        [
            .. Refuse("the exchange's disk tier is LMCACHE_LOCAL_DISK. Remove it", Gds),
            .. Refuse($"{Plugins}. Remove it", PluginKeys),
            .. Refuse($"{Dead}. Remove it", DeadKeys),
        ];

    private static Setting<CacheDraft> Idle(string key, string text) => new(LmCacheSettings.Prefix + key, "VALUE", "", $"no effect: {text}.", null);

    private static IEnumerable<Setting<CacheDraft>> Group(string text, params string[] keys) => keys.Select(key => Idle(key, text));

    private static IEnumerable<Setting<CacheDraft>> Refuse(string text, string[] keys) =>
        keys.Select(key => new Setting<CacheDraft>(LmCacheSettings.Prefix + key, "VALUE", "", $"{text}.", null) { IsRefused = true });
}
