using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>LMCache's settings as one process would read them: its YAML, environment variables on top, then the connector's own.</summary>
internal sealed class LmCacheSettings
{
    private readonly Dictionary<string, LmCacheSetting> _effective = new(StringComparer.Ordinal);

    /// <param name="settings">The strongest last.</param>
    /// <param name="extra">The parsed <c>extra_config</c>; null when not set or not readable.</param>
    public LmCacheSettings(IReadOnlyList<LmCacheSetting> settings, DataNode? extra)
    {
        All = settings;
        Extra = extra;
        foreach (var setting in settings)
        {
            _effective[setting.Key] = setting;
        }
    }

    public static LmCacheSettings Empty { get; } = new([], null);

    /// <summary>Every setting that names LMCache, also unknown ones and those that a later one replaces.</summary>
    public IReadOnlyList<LmCacheSetting> All { get; }

    /// <summary><c>extra_config</c> as an object, from JSON or YAML.</summary>
    public DataNode? Extra { get; }

    public bool Any => All.Count > 0;

    /// <summary>The setting of the first of these keys that is set, as YAML spells them today.</summary>
    public LmCacheSetting? Find(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (_effective.TryGetValue(key, out var setting)) { return setting; }
        }
        return null;
    }

    public SourcedText? Value(params ReadOnlySpan<string> keys) => Find(keys)?.Value;

    /// <summary>LMCache's own reading of a truth value: only <c>true</c> and <c>1</c>, any case, are true; the default when not set.</summary>
    public bool IsTrue(string key, bool unset) =>
        Find(key) is not { } setting ? unset : setting.Value.Value.Trim() is "1" || setting.Value.Value.Trim().Equals("true", StringComparison.OrdinalIgnoreCase);

    /// <summary>A number, or the default when not set or no number.</summary>
    public double Number(string key, double unset) => Value(key)?.TryDouble() ?? unset;
}
