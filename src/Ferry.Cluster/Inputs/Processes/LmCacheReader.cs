using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Processes;

/// <summary>Gathers what LMCache would read: its YAML, <c>LMCACHE_…</c> variables on top, then <c>lmcache.…</c> of the connector.</summary>
internal static class LmCacheReader
{
    public const string Prefix = "LMCACHE_";

    /// <summary>Read by LMCache or vLLM directly: no keys of the configuration.</summary>
    private static readonly HashSet<string> OtherVariables = new(StringComparer.Ordinal)
    {
        "LMCACHE_CONFIG_FILE", "LMCACHE_FORCE_SKIP_SAVE", "LMCACHE_USE_UPSTREAM_MP", "LMCACHE_LOG_LEVEL", "LMCACHE_TRACK_USAGE",
        "LMCACHE_RESP_HOST", "LMCACHE_RESP_PORT", "LMCACHE_RESP_USERNAME", "LMCACHE_RESP_PASSWORD", "LMCACHE_LOG_FORMAT",
    };

    public static LmCacheSettings Read(ProcessEnvironment environment, DataNode? yaml, KvTransferConfig? transfer)
    {
        var settings = new List<LmCacheSetting>();
        DataNode? extra = null;
        foreach (var member in yaml?.Members ?? [])
        {
            settings.Add(OfYaml(member));
            if (member.Key.Value == "extra_config") { extra = Extra(member.Value); }
        }
        foreach (var setting in environment.StartingWith(Prefix))
        {
            if (OtherVariables.Contains(setting.Name.Value) || setting.Value is not { } value) { continue; }
            var key = setting.Name.Value[Prefix.Length..].ToLowerInvariant();
            if (key.StartsWith("ec_", StringComparison.Ordinal)) { continue; }   // the encoder cache has a table of its own
            settings.Add(new LmCacheSetting(Current(key), setting.Name, value, setting.Span, LmCacheOrigin.Environment));
            if (key == "extra_config") { extra = JsonReader.TryRead(value, out _); }
        }
        if (transfer?.LmCacheInProcess?.Find("kv_connector_extra_config") is { } own)
        {
            foreach (var member in own.Members.Where(member => member.Key.Value.StartsWith("lmcache.", StringComparison.Ordinal)))
            {
                var name = member.Key;
                settings.Add(new LmCacheSetting(Current(name.Value["lmcache.".Length..]), name, member.Value.Text, name.Span.To(member.Value.Span), LmCacheOrigin.ConnectorExtra));
                if (name.Value == "lmcache.extra_config") { extra = member.Value; }
            }
        }
        return settings.Count == 0 ? LmCacheSettings.Empty : new LmCacheSettings(settings, extra);
    }

    private static LmCacheSetting OfYaml(DataMember member)
    {
        var value = member.Value.Kind is DataKind.Array or DataKind.Object
            ? SourcedText.Implied(string.Join(',', member.Value.Items.Select(item => item.Text.Value)), member.Value.Span)
            : member.Value.Text;
        return new LmCacheSetting(Current(member.Key.Value), member.Key, value, member.Key.Span.To(member.Value.Span), LmCacheOrigin.Yaml);
    }

    private static string Current(string key) => LmCacheKeys.Find(key)?.Name ?? key;

    private static DataNode? Extra(DataNode node) => node.Kind == DataKind.String ? JsonReader.TryRead(node.Text, out _) : node;
}
