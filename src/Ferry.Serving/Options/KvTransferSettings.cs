using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>The keys of vLLM's <c>--kv-transfer-config</c> and of its <c>kv_connector_extra_config</c>.</summary>
public static class KvTransferSettings
{
    private const string Flag = "--kv-transfer-config";
    private const string Example = "'{\"kv_connector\":\"NixlConnector\",\"kv_role\":\"kv_producer\"}'";
    private const int JsonLengthMax = 64 * 1024;
    private const int JsonDepthMax = 16;
    private const string LmCachePrefix = "lmcache.";

    /// <summary>All of vLLM's names that carry KV between a prefill and a decode node, or to a store.</summary>
    private static readonly string[] Connectors = ["NixlConnector", "NixlPullConnector", "LMCacheConnectorV1", "LMCacheMPConnector", "MultiConnector", "FerryConnector"];

    private static readonly string[] OtherConnectors =
    [
        "NixlPushConnector", "MoRIIOConnector", "OffloadingConnector", "SimpleCPUOffloadConnector", "MooncakeConnector", "MooncakeStoreConnector",
        "FlexKVConnectorV1", "HF3FSKVConnector", "ExampleConnector", "ExampleHiddenStatesConnector", "DecodeBenchConnector", "SharedStorageConnector",
        "P2pNcclConnector", "PyNcclConnector",
    ];

    public static IReadOnlyList<Setting<ServeDraft>> Keys { get; } =
    [
        Key("kv_connector", "NAME", "required", $"{string.Join(", ", Connectors)}: all of them are Ferry's exchange here.", ApplyConnector),
        Key("kv_role", "kv_producer|kv_consumer|kv_both", "required", "Producer prefills and lends KV, consumer fetches and decodes.", ApplyRole),
        Key("kv_buffer_device", "NAME", "cpu", "Where KV is staged. Ferry stages in host memory: cpu. cuda with --device mi300x and hpu with --device gaudi3 warn; others are errors.", (d, v) => d.BufferDevice = v.Text),
        Key("engine_id", "NAME", "new at each start", "Names this node in kv_transfer_params.", ApplyEngineId),
        Key("kv_connector_extra_config", "JSON", "{}", "See the table of its keys.", (_, _) => { }),
        Key("kv_load_failure_policy", "recompute|fail", "recompute", "What happens when KV cannot be fetched. Ferry recomputes and says so in headers and metrics; fail warns.", ApplyFailurePolicy),
        Idle("kv_buffer_size", "N", "staging is the memory tier: LMCACHE_MAX_LOCAL_CPU_SIZE"),
        Idle("kv_rank", "N", "a leftover of removed connectors"),
        Idle("kv_parallel_size", "N", "a leftover of removed connectors"),
        Idle("kv_ip", "ADDRESS", "the side channel's address is VLLM_NIXL_SIDE_CHANNEL_HOST"),
        Idle("kv_port", "N", "the side channel's port is VLLM_NIXL_SIDE_CHANNEL_PORT"),
        Idle("kv_connector_module_path", "NAME", "Ferry loads no Python"),
        Idle("enable_permute_local_kv", "BOOL", "Ferry converts every layout that has a plan"),
    ];

    public static IReadOnlyList<Setting<ServeDraft>> ExtraKeys { get; } =
    [
        Extra("kv_lease_duration", "SECONDS", "30", "How long KV of a finished prefill is held for the decode node.", (d, v) => d.LeaseDuration = TimeSpan.FromSeconds(v.Real(1, 86_400, 30))),
        Extra("handover_mode", string.Join('|', HandoverModes.Names), HandoverMode.Pull.Name(), "How KV of a finished prefill gets to the decode node, on both nodes: read by it, or written into its memory while the prefill goes on (what is not there in time is read). A node with pull takes no pushes.", (d, v) => d.Handover = HandoverModes.TryParse(v.OneOf(HandoverModes.Names)) ?? HandoverMode.Pull),
        Extra("connectors", "LIST", "", "MultiConnector's children; each must be a connector that Ferry knows.", (_, _) => { }),
        Extra(LmCachePrefix + "KEY", "VALUE", "", "The LMCache setting LMCACHE_KEY; stands above the environment.", (_, _) => { }),
        IdleExtra("enforce_handshake_compat", "layouts are compared field by field and converted; no hash decides"),
        IdleExtra("backends", "transports are chosen by UCX_TLS"),
        IdleExtra("num_threads", "transfers run on the thread pool"),
        IdleExtra("engine_ttl", "a dead peer is noticed by its connection"),
        IdleExtra("enable_cross_layers_blocks", "the pool's shape follows --device"),
        IdleExtra("bidirectional_kv_xfer", "the role kv_both both lends and fetches"),
        IdleExtra("decoder_kv_blocks_ttl", "kv_lease_duration holds for every role"),
        IdleExtra("kv_recompute_threshold", "every found chunk is used"),
        IdleExtra("push_registration_timeout", "the decode node reads what is not pushed in time; see handover_mode"),
        IdleExtra("agreed_block_size", "block sizes are converted"),
        IdleExtra("discard_partial_chunks", "see LMCACHE_SAVE_UNFULL_CHUNK"),
        IdleExtra("skip_last_n_tokens", "the decode node always computes the last prompt token"),
        IdleExtra("lmcache_rpc_port", "engine and cache share one process"),
        IdleExtra("use_native", "engine and cache share one process"),
        IdleExtra("shared_storage_path", "name a shared directory with LMCACHE_REMOTE_URL=file:///DIR"),
    ];

    internal static void ApplyJson(ServeDraft draft, SettingValue value)
    {
        if (JsonObjectSetting.Read(value, Flag, Example, JsonLengthMax, JsonDepthMax) is not { } config)
        {
            return;
        }
        draft.KvTransferConfig ??= [];
        foreach (var (key, node) in config)
        {
            draft.KvTransferConfig[key] = node?.DeepClone();
        }
    }

    /// <summary>Takes one dotted setting in: <c>--kv-transfer-config.a.b VALUE</c>; a trailing <c>+</c> appends to a list.</summary>
    internal static void ApplyDotted(ServeDraft draft, string path, string text)
    {
        var steps = path.Split('.');
        var node = draft.KvTransferConfig ??= [];
        // "lmcache.KEY" inside the extra configuration is one key with a dot in it.
        if (steps.Length >= 3 && steps[0] == "kv_connector_extra_config" && steps[1] + "." == LmCachePrefix)
        {
            steps = [steps[0], string.Join('.', steps[1..])];
        }
        foreach (var step in steps[..^1])
        {
            if (node[step] is not JsonObject child)
            {
                node[step] = child = [];
            }
            node = child;
        }
        var appends = steps[^1].EndsWith('+');
        var last = appends ? steps[^1][..^1] : steps[^1];
        if (appends)
        {
            var list = node[last] as JsonArray ?? [];
            list.Add(ParseValue(text));
            node[last] = list.Parent is null ? list : list.DeepClone();
        }
        else
        {
            node[last] = ParseValue(text);
        }
    }

    /// <summary>Reads all keys of the collected configuration.</summary>
    internal static void ApplyAll(ServeDraft draft)
    {
        if (draft.KvTransferConfig is not { } config)
        {
            return;
        }
        foreach (var (key, node) in config)
        {
            var setting = Keys.FirstOrDefault(known => known.Name == key);
            if (setting is null)
            {
                draft.Add(FindingKind.Error, key, Text(node), $"{Flag} has no key '{key}'.{NameHint.Of(key, Keys.Select(known => known.Name))}");
            }
            else if (node is not null)
            {
                draft.Apply(setting, Text(node));
            }
        }
        if (config["kv_connector_extra_config"] is JsonObject extra)
        {
            ApplyExtra(draft, extra);
        }
        else if (config["kv_connector_extra_config"] is not null)
        {
            draft.Add(FindingKind.Error, "kv_connector_extra_config", Text(config["kv_connector_extra_config"]), "kv_connector_extra_config must be a JSON object.");
        }
    }

    private static void ApplyExtra(ServeDraft draft, JsonObject extra)
    {
        foreach (var (key, node) in extra)
        {
            if (key.StartsWith(LmCachePrefix, StringComparison.Ordinal))
            {
                ApplyLmCacheKey(draft, key, Text(node));
            }
            else if (key == "connectors")
            {
                ApplyChildren(draft, node);
            }
            else if (ExtraKeys.FirstOrDefault(known => known.Name == key) is { } setting)
            {
                draft.Apply(setting, Text(node));
            }
            else
            {
                draft.Add(FindingKind.Error, key, Text(node), $"kv_connector_extra_config has no key '{key}'.{NameHint.Of(key, ExtraKeys.Select(known => known.Name))}");
            }
        }
    }

    private static void ApplyLmCacheKey(ServeDraft draft, string key, string text)
    {
        var name = key[LmCachePrefix.Length..];
        if (LmCacheSettings.Engine.TryFindKey(name) is { } setting)
        {
            setting.Apply(draft.Cache, draft.Findings, text);
            return;
        }
        var known = LmCacheSettings.Engine.All.Select(one => LmCachePrefix + one.Name[LmCacheSettings.Prefix.Length..].ToLowerInvariant());
        draft.Add(FindingKind.Error, key, text, $"'{name}' is no LMCache setting.{NameHint.Of(key, known)}");
    }

    private static void ApplyChildren(ServeDraft draft, JsonNode? node)
    {
        if (node is not JsonArray { Count: > 0 and <= 16 } children)
        {
            draft.Add(FindingKind.Error, "connectors", Text(node), "connectors must be a list of 1 to 16 connector configurations.");
            return;
        }
        foreach (var child in children)
        {
            CheckConnector(draft, "connectors", child is JsonObject one ? Text(one["kv_connector"]) : Text(child));
        }
    }

    private static void ApplyConnector(ServeDraft draft, SettingValue value)
    {
        draft.ConnectorName = value.Text;
        CheckConnector(draft, "kv_connector", value.Text);
    }

    private static void CheckConnector(ServeDraft draft, string name, string connector)
    {
        if (Connectors.Contains(connector))
        {
            draft.Add(connector == "FerryConnector" ? FindingKind.Honoured : FindingKind.Warning, name, connector,
                connector == "FerryConnector" ? "" : $"{connector} stands for Ferry's exchange here: hand-over and cache are one thing, so LMCACHE_* settings take effect (in vLLM NixlConnector never loads LMCache).");
            return;
        }
        draft.Add(FindingKind.Error, name, connector, OtherConnectors.Contains(connector)
            ? $"{name} {connector}: Ferry does not stand in for it. Use NixlConnector or LMCacheConnectorV1."
            : $"{name} '{connector}' is no connector.{NameHint.Of(connector, Connectors)}");
    }

    private static void ApplyRole(ServeDraft draft, SettingValue value) =>
        draft.Role = value.OneOf("kv_producer", "kv_consumer", "kv_both") switch
        {
            "kv_producer" => KvRole.Producer,
            "kv_consumer" => KvRole.Consumer,
            _ => KvRole.Both,
        };

    private static void ApplyEngineId(ServeDraft draft, SettingValue value)
    {
        if (value.Text.Length is 0 or > 128 || value.Text.Any(character => character is < '!' or > '~'))
        {
            value.Error("engine_id must be 1 to 128 visible ASCII characters.");
            return;
        }
        draft.EngineId = value.Text;
    }

    private static void ApplyFailurePolicy(ServeDraft draft, SettingValue value)
    {
        if (value.OneOf("recompute", "fail") == "fail")
        {
            value.Warn("Ferry recomputes what it cannot fetch, counts it (ferry_kv_handover_missed_total) and says so in the answer's headers; it does not fail the request.");
        }
    }

    private static JsonNode? ParseValue(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = JsonDepthMax });
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);   // a bare word is a string, as in vLLM
        }
    }

    private static string Text(JsonNode? node) => node switch
    {
        null => "null",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value when value.TryGetValue<double>(out var number) => number.ToString("R", CultureInfo.InvariantCulture),
        _ => node.ToJsonString(),
    };

    private static Setting<ServeDraft> Key(string name, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, value, @default, text, apply);

    private static Setting<ServeDraft> Idle(string name, string value, string text) =>
        new(name, value, "", $"no effect: {text}.", null);

    private static Setting<ServeDraft> Extra(string name, string value, string @default, string text, Action<ServeDraft, SettingValue> apply) =>
        new(name, value, @default, text, apply);

    private static Setting<ServeDraft> IdleExtra(string name, string text) => new(name, "VALUE", "", $"no effect: {text}.", null);
}
