using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>The keys of LMCache's <c>extra_config</c>.</summary>
public static class LmCacheExtraSettings
{
    private const int MaxJsonLength = 64 * 1024;
    private const string Connector = "it tunes LMCache's own S3 connector";

    public static IReadOnlyList<Setting<CacheDraft>> Honoured { get; } =
    [
        Key("s3_region", "NAME", "AWS_REGION, else default", "Region of the S3 tier; Ceph takes any.", (d, v) => d.S3Region = v.Text),
        Key("disable_tls", "BOOL", "False", "True: http, where LMCACHE_REMOTE_URL names a host without a scheme.", (d, v) => d.S3DisableTls = v.Bool()),
        Key("aws_access_key_id", "TEXT", "the standard chain", "Credentials of the S3 tier, together with aws_secret_access_key.", (d, v) => d.S3AccessKey = v.Text) with { IsSecret = true },
        Key("aws_secret_access_key", "TEXT", "the standard chain", "See aws_access_key_id.", (d, v) => d.S3SecretKey = v.Text) with { IsSecret = true },
    ];

    public static IReadOnlyList<Setting<CacheDraft>> Explained { get; } =
    [
        Idle("s3_file_prefix", "put a prefix behind the bucket in the URL: s3://BUCKET/PREFIX?endpoint=URL"),
        Idle("s3_use_path_style", "the form of the URL says it, and so does style=path or style=virtual in its query"),
        Idle("use_odirect", "the disk tier uses direct I/O wherever the file system has it, and says so"),
        Idle("save_chunk_meta", "the clients decide whether a metadata record goes with a chunk; both are served"),
        Idle("save_only_first_rank", "the clients decide which ranks save"),
        .. ((string[])["s3_num_io_threads", "s3_prefer_http2", "s3_enable_s3express", "s3_part_size", "s3_max_inflight_reqs", "s3_max_io_concurrency"]).Select(key => Idle(key, Connector)),
        .. ((string[])["enable_nixl_storage", "nixl_backend", "nixl_pool_size", "nixl_presence_cache", "nixl_presence_cache_only", "nixl_use_hugepages"]).Select(key => Idle(key, "Ferry's tiers are not NIXL's")),
        .. ((string[])["audit_backend_enabled", "audit_actual_remote_url"]).Select(key => Idle(key, "figures stand in /metrics")),
    ];

    public static IReadOnlyList<Setting<CacheDraft>> All { get; } = [.. Honoured, .. Explained];

    /// <summary>Applies one key.</summary>
    public static void Apply(CacheDraft draft, FindingLog findings, string key, string text, string place)
    {
        if (All.FirstOrDefault(known => known.Name == key) is { } setting)
        {
            setting.Apply(draft, findings, text, place);
            return;
        }
        findings.Refuse(key, "***", $"extra_config has no key '{key}'.{NameHint.Of(key, All.Select(known => known.Name))}", place);
    }

    /// <summary>Applies the variable's JSON.</summary>
    internal static void ApplyJson(CacheDraft draft, SettingValue value)
    {
        if (value.Text.Length > MaxJsonLength)
        {
            value.Error($"{value.Name} has {value.Text.Length} characters; at most {MaxJsonLength} are read.");
            return;
        }
        try
        {
            if (JsonNode.Parse(value.Text, documentOptions: new JsonDocumentOptions { MaxDepth = 8 }) is JsonObject config)
            {
                foreach (var (key, node) in config)
                {
                    Apply(draft, value.Findings, key, node is JsonValue scalar && scalar.TryGetValue<string>(out var text) ? text : node?.ToJsonString() ?? "", value.Place);
                }
                return;
            }
            value.Error($"{value.Name} must be a JSON object, for example {{\"s3_region\":\"default\"}}.");
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)   // ArgumentException: a key twice
        {
            value.Error($"{value.Name} is not valid JSON: {exception.Message} (A Python dictionary in single quotes is none; LMCache would ignore it without a word.)");
        }
    }

    private static Setting<CacheDraft> Key(string name, string value, string @default, string text, Action<CacheDraft, SettingValue> take) => new(name, value, @default, text, take);

    private static Setting<CacheDraft> Idle(string name, string text) => new(name, "VALUE", "", $"no effect: {text}.", null);
}
