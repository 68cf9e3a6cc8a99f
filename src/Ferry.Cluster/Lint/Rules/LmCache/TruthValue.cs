using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class TruthValue : LmCacheRule
{
    private static readonly string[] MeantAsTrue = ["yes", "on", "y", "t", "enable", "enabled", "ture", "treu", "tru"];

    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC006",
        Severity = LintSeverity.Error,
        Title = "A truth value that LMCache reads as false",
        Why = "LMCache takes `true` and `1`, in any case, for true. Every other text is false: yes, on, and each misspelling.",
        Symptom = "None; the feature is off.",
        Fix = "Write True or False.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/config_base.py, _to_bool"],
        GoodExample = RuleExample.EnvFile("LMCACHE_LOCAL_CPU=True\nLMCACHE_SAVE_DECODE_CACHE=False\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_LOCAL_CPU=yes\nLMCACHE_SAVE_DECODE_CACHE=False\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            if (setting.Value.HasUnknown || LmCacheKeys.Find(setting.Key) is not { Type: LmCacheType.Truth }) { continue; }
            var value = setting.Value.Value.Trim().Trim('"', '\'').ToLowerInvariant();
            if (value is "true" or "1" or "false" or "0" or "") { continue; }
            if (setting.Origin == LmCacheOrigin.Yaml && value is "yes" or "on" or "no" or "off") { continue; }   // YAML 1.1 makes them truth values before LMCache sees them
            var meant = MeantAsTrue.Contains(value) ? "True" : value is "no" or "off" or "n" or "f" or "disable" or "disabled" ? "False" : null;
            TextEdit[] fix = meant is not null && setting.Value.TryExact() is { } exact ? [new TextEdit(exact, meant)] : [];
            if (meant == "False") { continue; }   // read as it is meant
            findings.Report(Info, setting.Value.Span, $"{setting.Name.Value} is '{setting.Value.Value}', which LMCache reads as false; only true and 1 are true.", fix);
        }
    }
}
