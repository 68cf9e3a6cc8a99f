namespace Ferry.Serving.Options;

/// <summary>
/// LMCache's settings, by their environment names (LMCACHE_ + key in capitals). The list is LMCache's definition table (config.py of
/// 2026-04, and its older aliases); what is not in it, LMCache never reads, and Ferry refuses.
/// </summary>
public static class LmCacheSettings
{
    /// <summary>Prefix of the environment names.</summary>
    public const string Prefix = "LMCACHE_";

    private const double MaxTierGiB = 1 << 20;

    public static IReadOnlyList<Setting> Honoured { get; } =
    [
        Key("CHUNK_SIZE", "TOKENS", "256", "Tokens of one chunk; a multiple of every node's block.", (d, v) => d.ChunkTokens = v.Int(1, 1 << 20, 256)),
        Key("LOCAL_CPU", "BOOL", "True", "False: memory only stages what is on its way.", (d, v) => d.KeepInMemory = v.Bool(true)),
        Key("MAX_LOCAL_CPU_SIZE", "GIB", "1 for the node", "Memory tier, GiB per rank as in LMCache: the node's cap is this times --tensor-parallel-size.",
            (d, v) => d.MemoryTierBytesPerRank = v.GibiBytes(MaxTierGiB)),
        Key("REMOTE_URL", "URL", "none", "Shared tier. file:///DIR is a directory that several nodes mount; other schemes warn and leave no shared tier.", ApplyRemoteUrl),
        Key("PRE_CACHING_HASH_ALGORITHM", "NAME", "sha256_cbor", "Chunk hash; LMCache's own default is builtin. Equal on all nodes that share KV.", ApplyHash),
        Key("SAVE_DECODE_CACHE", "BOOL", "False", "False is honoured; True warns, since KV of generated tokens stays in the engine.", ApplySaveDecodeCache),
        Key("SAVE_UNFULL_CHUNK", "BOOL", "False", "Put the unfull last chunk of a prompt into the shared tier too; the hand-over always carries it.", (d, v) => d.SaveUnfullChunk = v.Bool()),
        Key("CACHE_POLICY", "NAME", "LRU", "Which chunk goes first when memory is full: LRU. LFU, FIFO, MRU and S3FIFO warn.", ApplyPolicy),
        Key("ENABLE_PD", "BOOL", "False", "Prefill/decode hand-over. --kv-transfer-config decides here; a contradiction warns.", (d, v) => d.EnablePd = v.Bool()) with { Aliases = ["LMCACHE_ENABLE_XPYD"] },
        Key("PD_ROLE", "sender|receiver", "none", "Must agree with kv_role: sender is kv_producer, receiver is kv_consumer.", (d, v) => d.PdRole = v.OneOf("sender", "receiver")) with { Aliases = ["LMCACHE_NIXL_ROLE"] },
        Key("TRANSFER_CHANNEL", "NAME", "none", "nixl: the hand-over reads from the peer's memory, as Ferry's does.", ApplyChannel),
        Key("BLOCKING_TIMEOUT_SECS", "SECONDS", "10", "Longest wait for a peer or a shared tier; then the engine computes.", (d, v) => d.LoadTimeout = TimeSpan.FromSeconds(v.Real(0.1, 3600, 10))),
    ];

    /// <summary>Known to LMCache, without effect here: the key, and what to know.</summary>
    public static IReadOnlyList<Setting> Explained { get; } =
    [
        Idle("CONFIG_FILE", "Ferry reads no LMCache YAML here; give the keys as LMCACHE_ variables"),
        Idle("LOCAL_DISK", "this build has no disk tier; chunks stay in memory and in LMCACHE_REMOTE_URL"),
        Idle("MAX_LOCAL_DISK_SIZE", "this build has no disk tier"),
        .. Group("this build has no disk tier", "LOCAL_DISK_PATH_SHARDING", "GDS_PATH", "GDS_PATH_SHARDING", "GDS_BUFFER_SIZE", "USE_GDS", "GDS_BACKEND"),
        .. Group("remote tiers are named by LMCACHE_REMOTE_URL", "REMOTE_STORAGE_PLUGINS", "STORAGE_PLUGINS", "EXTERNAL_BACKENDS", "RUNTIME_PLUGIN_LOCATIONS", "PLUGIN_LOCATIONS", "REMOTE_CONFIG_URL", "APP_ID"),
        Idle("REMOTE_SERDE", "chunks are stored as Ferry records with a checksum"),
        .. Group("the arena is one allocation of the size of the memory tier", "LOCAL_CPU_USE_HUGEPAGES", "RESERVE_LOCAL_CPU_SIZE", "NUMA_MODE", "ENABLE_LAZY_MEMORY_ALLOCATOR", "LAZY_MEMORY_INITIAL_RATIO",
            "LAZY_MEMORY_EXPAND_TRIGGER_RATIO", "LAZY_MEMORY_STEP_RATIO", "LAZY_MEMORY_SAFE_SIZE", "MARU_PATH", "MARU_POOL_SIZE"),
        Idle("USE_LAYERWISE", "chunks are moved with all their layers"),
        .. Group("Ferry has no blending: a chunk is used only where all tokens before it are equal", "ENABLE_BLENDING", "BLEND_RECOMPUTE_RATIOS", "BLEND_THRESHOLDS", "BLEND_CHECK_LAYERS", "BLEND_MIN_TOKENS", "BLEND_SPECIAL_STR"),
        .. Group("every tier is asked, nearest first", "RETRIEVE_LOCATIONS", "STORE_LOCATION"),
        .. Group("nodes find each other through the router's kv_transfer_params", "ENABLE_P2P", "P2P_HOST", "P2P_INIT_PORTS", "P2P_LOOKUP_PORTS", "ENABLE_CONTROLLER", "LMCACHE_INSTANCE_ID", "CONTROLLER_PULL_URL", "CONTROLLER_URL",
            "CONTROLLER_REPLY_URL", "LMCACHE_WORKER_PORTS", "LMCACHE_WORKER_PORT", "LMCACHE_WORKER_IDS", "LMCACHE_WORKER_HEARTBEAT_DELAY_TIME", "LMCACHE_WORKER_HEARTBEAT_TIME"),
        .. Group("the decode node reads from the prefill node's memory tier, so there is no second buffer to size or to address", "PD_BUFFER_SIZE", "PD_BUFFER_DEVICE", "PD_PEER_HOST", "PD_PEER_INIT_PORT", "PD_PEER_ALLOC_PORT",
            "PD_PEER_QUERY_PORT", "PD_PROXY_HOST", "PD_PROXY_PORT", "PD_SKIP_PROXY_NOTIFICATION", "PD_BIDIRECTIONAL", "PD_ALLOCATION_TIMEOUT_SEC", "PD_SHUTDOWN_TIMEOUT_SEC", "PD_CONDITION_POLL_INTERVAL_SEC",
            "PD_MAX_PREFILL_LEN", "PD_BACKEND_MODE", "NIXL_BACKENDS", "NIXL_BUFFER_SIZE", "NIXL_BUFFER_DEVICE"),
        .. Group("loads never block the engine", "LOOKUP_TIMEOUT_MS", "ENABLE_ASYNC_LOADING", "EXTERNAL_LOOKUP_CLIENT", "LOOKUP_SERVER_WORKER_IDS", "ENABLE_SCHEDULER_BYPASS_LOOKUP"),
        .. Group("every found chunk is used", "MIN_RETRIEVE_TOKENS", "HIT_MISS_RATIO", "PRIORITY_LIMIT", "FORCE_SKIP_SAVE"),
        .. Group("leases end by themselves", "PIN_TIMEOUT_SEC", "PIN_CHECK_INTERVAL_SEC"),
        .. Group("figures stand in /metrics", "INTERNAL_API_SERVER_ENABLED", "INTERNAL_API_SERVER_HOST", "INTERNAL_API_SERVER_PORT_START", "INTERNAL_API_SERVER_INCLUDE_INDEX_LIST", "INTERNAL_API_SERVER_SOCKET_PATH_PREFIX",
            "ENABLE_KV_EVENTS", "ENABLE_CHUNK_STATISTICS", "LOG_LEVEL", "TRACK_USAGE"),
        .. Group("it belongs to LMCache's Python process", "PY_ENABLE_GC", "USE_GPU_CONNECTOR_V3", "ENABLE_HIDDEN_STATE_CACHE", "EXTRA_CONFIG", "USE_EXPERIMENTAL", "USE_UPSTREAM_MP", "ENABLE_NIXL", "NIXL_PEER_HOST", "NIXL_PEER_PORT", "NIXL_ENABLE_GC"),
        .. Group("it has no meaning without the S3 tier, which this build does not have. (LMCache itself does not know LMCACHE_S3_ENDPOINT_URL either: the endpoint stands in LMCACHE_REMOTE_URL)", "S3_ENDPOINT_URL"),
    ];

    public static IReadOnlyList<Setting> All { get; } = [.. Honoured, .. Explained];

    /// <summary>The setting of an LMCache key as YAML and <c>lmcache.KEY</c> spell it ("chunk_size"), or null.</summary>
    public static Setting? TryFindKey(string key) => TryFindName(Prefix + key.ToUpperInvariant());

    /// <summary>The setting of an environment name, or null.</summary>
    public static Setting? TryFindName(string name) =>
        All.FirstOrDefault(setting => setting.Name == name || setting.Aliases.Contains(name));

    private static Setting Key(string key, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(SettingKind.LmCache, Prefix + key, value, @default, text, apply);

    private static Setting Idle(string key, string text) => new(SettingKind.LmCache, Prefix + key, "VALUE", "", $"no effect: {text}.", null);

    private static IEnumerable<Setting> Group(string text, params string[] keys) => keys.Select(key => Idle(key, text));

    private static void ApplyRemoteUrl(ServeDraft draft, SettingValue value)
    {
        if (!Uri.TryCreate(value.Text, UriKind.Absolute, out var url))
        {
            value.Error($"LMCACHE_REMOTE_URL is '{value.Text}', which is no URL. A shared directory is file:///path.");
            return;
        }
        if (url.Scheme != "file")
        {
            value.Warn($"no shared tier: this build serves file:///DIR only, not {url.Scheme}://. Chunks stay on the nodes that computed them.");
            return;
        }
        if (url.Host.Length > 0)
        {
            value.Error($"LMCACHE_REMOTE_URL is '{value.Text}': '{url.Host}' stands where a host would. Write file:///{url.Host}{url.AbsolutePath} for an absolute path.");
            return;
        }
        draft.SharedDirectory = url.LocalPath.Length > 1 ? url.LocalPath.TrimEnd('/') : null;
        if (draft.SharedDirectory is null)
        {
            value.Error("LMCACHE_REMOTE_URL names the root directory. Give the shared tier a directory of its own.");
        }
    }

    private static void ApplyHash(ServeDraft draft, SettingValue value) =>
        draft.HashAlgorithm = value.OneOf("sha256_cbor", "builtin", "blake3", "sha256", "xxhash", "xxhash_cbor") switch
        {
            "sha256" or "xxhash" or "xxhash_cbor" => Refuse(value),
            var name => name,
        };

    private static string Refuse(SettingValue value)
    {
        value.Error($"LMCACHE_PRE_CACHING_HASH_ALGORITHM={value.Text} hashes Python pickles or vLLM blocks, which only Python defines for chunks. Use sha256_cbor on every node.");
        return "sha256_cbor";
    }

    private static void ApplySaveDecodeCache(ServeDraft draft, SettingValue value)
    {
        draft.SaveDecodeCache = value.Bool();
        if (draft.SaveDecodeCache)
        {
            value.Warn("no effect: KV of generated tokens stays in the engine's own prefix cache.");
        }
    }

    private static void ApplyPolicy(ServeDraft draft, SettingValue value)
    {
        if (value.OneOf("LRU", "LFU", "FIFO", "MRU", "S3FIFO") != "LRU")
        {
            value.Warn("this build evicts by LRU only; LRU it is.");
        }
    }

    private static void ApplyChannel(ServeDraft draft, SettingValue value)
    {
        if (value.OneOf("nixl", "hccl", "hixl") != "nixl")
        {
            value.Warn("Ferry moves KV by its own one-sided reads, whatever is named here.");
        }
    }
}
