using System.Globalization;
using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class WrongType : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC007",
        Severity = LintSeverity.Error,
        Title = "A value that is no number where LMCache needs one",
        Why = "A value that fails to convert is logged and the field becomes None, not its default; code that computes with it fails later, far from the cause. Sizes carry no unit: LMCACHE_MAX_LOCAL_… are GiB, pd_buffer_size is bytes.",
        Symptom = "`TypeError: '>' not supported between instances of 'NoneType' and 'int'` while the engine starts.",
        Fix = "Write a plain number.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/config_base.py, from_env"],
        GoodExample = RuleExample.EnvFile("LMCACHE_MAX_LOCAL_CPU_SIZE=20\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_MAX_LOCAL_CPU_SIZE=20GB\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            if (setting.Value.HasUnknown || LmCacheKeys.Find(setting.Key) is not { } key || key.Type is not (LmCacheType.Whole or LmCacheType.Number)) { continue; }
            var value = setting.Value.Value.Trim().Trim('"', '\'');
            if (value.Length == 0 || value is "null" or "~" or "None") { continue; }
            var isNumber = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) || value is "inf" or "Infinity";
            var isWhole = long.TryParse(value.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
            if (key.Type == LmCacheType.Whole ? isWhole : isNumber) { continue; }
            findings.Report(Info, setting.Value.Span,
                $"{setting.Name.Value} is '{setting.Value.Value}'; LMCache needs {(key.Type == LmCacheType.Whole ? "a whole number" : "a number")} without a unit{Unit(key.Name)}.");
        }
    }

    private static string Unit(string key) => key switch
    {
        "max_local_cpu_size" or "max_local_disk_size" or "reserve_local_cpu_size" => " (GiB for each tensor-parallel rank)",
        "pd_buffer_size" => " (bytes)",
        "chunk_size" => " (tokens)",
        _ => "",
    };
}
