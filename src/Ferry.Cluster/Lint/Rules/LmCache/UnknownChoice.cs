using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using Ferry.Kv.Text;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class UnknownChoice : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC008",
        Severity = LintSeverity.Error,
        Title = "A value outside those that LMCache knows for this setting",
        Why = "Depending on the setting LMCache raises an error, fails an assertion without a message, or falls back in silence: an unknown hash algorithm becomes Python's hash(), whose keys no other process finds.",
        Symptom = "`ValueError` or a bare `AssertionError` at start; for the hash algorithm a warning and no hits.",
        Fix = "Use one of the known values.",
        Versions = "LMCache of mid-2026",
        Sources = ["lmcache/v1/config.py", "lmcache/v1/storage_backend/pd_backend.py (role \"both\" is not supported)", "lmcache/v1/token_database.py"],
        GoodExample = RuleExample.EnvFile("LMCACHE_CACHE_POLICY=LRU\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_CACHE_POLICY=LRUU\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            if (setting.Value.HasUnknown || LmCacheKeys.Find(setting.Key) is not { Values.Length: > 0 } key) { continue; }
            var value = setting.Value.Value.Trim().Trim('"', '\'');
            if (value.Length == 0 || key.Values.Contains(value, StringComparer.OrdinalIgnoreCase) || IsNull(key.Name, value)) { continue; }
            var nearest = NearestName.Find(value, key.Values);
            TextEdit[] fix = nearest is not null && LmCacheFacts.IsTypo(value, nearest) && setting.Value.TryExact() is { } exact ? [new TextEdit(exact, nearest)] : [];
            findings.Report(Info, setting.Value.Span,
                $"{setting.Name.Value} is '{value}'; known are {string.Join(", ", key.Values)}.{(nearest is null ? "" : $" Did you mean {nearest}?")}", fix);
        }
    }

    private static bool IsNull(string key, string value) => key == "remote_serde" && value.Equals("none", StringComparison.OrdinalIgnoreCase) || value is "null" or "~" or "None";
}
