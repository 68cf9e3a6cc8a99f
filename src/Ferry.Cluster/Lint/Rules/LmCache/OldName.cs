using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class OldName : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC004",
        Severity = LintSeverity.Warning,
        Title = "An old name of a setting",
        Why = "LMCache still maps it to the new name today. Such aliases go away with a release, and from then on the setting is silently not read.",
        Symptom = "`… is deprecated, use … instead` in LMCache's log.",
        Fix = "Use the new name.",
        Versions = "LMCache with pd_… names (0.3.9 and later)",
        Sources = ["lmcache/v1/config.py, _CONFIG_ALIASES", "vLLM issue #22532"],
        GoodExample = RuleExample.LmCacheYaml("chunk_size: 256\nlocal_cpu: true\nenable_controller: false\ncontroller_pull_url: localhost:8300\n"),
        BadExample = RuleExample.LmCacheYaml("chunk_size: 256\nlocal_cpu: true\nenable_controller: false\ncontroller_url: localhost:8300\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        foreach (var setting in process.LmCache.All)
        {
            if (LmCacheKeys.Find(setting.Key) is not { } key) { continue; }
            var name = setting.Name.Value;
            var isEnvironment = setting.Origin == LmCacheOrigin.Environment;
            var current = isEnvironment ? key.Variable : setting.Origin == LmCacheOrigin.ConnectorExtra ? "lmcache." + key.Name : key.Name;
            if (name.Equals(current, StringComparison.OrdinalIgnoreCase)) { continue; }
            TextEdit[] fix = setting.Name.TryExact() is { } exact ? [new TextEdit(exact, current)] : [];
            findings.Report(Info, setting.Name.Span, $"{name} is the old name of {current}.", fix);
        }
    }
}
