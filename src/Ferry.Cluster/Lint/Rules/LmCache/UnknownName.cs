using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class UnknownName : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC002",
        Severity = LintSeverity.Error,
        Title = "LMCache knows no setting of this name",
        Why = "LMCache looks up the names of its own table and nothing else: a misspelt LMCACHE_… variable is never read and never warned about. An unknown key in its YAML gives one warning line, and the process goes on.",
        Symptom = "Nothing for a variable; `Unknown configuration key` for YAML.",
        Fix = "Correct the name, or remove it.",
        Versions = "LMCache, all versions; the table is that of mid-2026",
        Sources = ["lmcache/v1/config.py, _CONFIG_DEFINITIONS", "LMCache issues #437, #447"],
        GoodExample = RuleExample.EnvFile("LMCACHE_MAX_LOCAL_CPU_SIZE=20\nLMCACHE_CHUNK_SIZE=256\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_MAX_LOCAL_CPU_SZIE=20\nLMCACHE_CHUNK_SIZE=256\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            var key = setting.Key;
            if (LmCacheKeys.Find(key) is not null || LmCacheKeys.TryGone(key) is not null || LmCacheKeys.TryNeverWas(key) is not null) { continue; }
            if (setting.Origin == LmCacheOrigin.Yaml && key.StartsWith("ec_", StringComparison.Ordinal)) { continue; }   // the encoder cache's own table
            var nearest = LmCacheKeys.Nearest(key);
            var rest = nearest is null ? "" : $" Did you mean {Spelled(setting, nearest)}?";
            findings.Report(Info, setting.Name.Span, $"LMCache reads no {setting.Name.Value}.{rest}", Rename(setting, nearest));
        }
    }

    private static TextEdit[] Rename(LmCacheSetting setting, string? nearest) =>
        nearest is not null && LmCacheFacts.IsTypo(setting.Key, nearest) && setting.Name.TryExact() is { } exact ? [new TextEdit(exact, Spelled(setting, nearest))] : [];

    private static string Spelled(LmCacheSetting setting, string key) => setting.Origin switch
    {
        LmCacheOrigin.Environment => "LMCACHE_" + key.ToUpperInvariant(),
        LmCacheOrigin.ConnectorExtra => "lmcache." + key,
        _ => key,
    };
}
