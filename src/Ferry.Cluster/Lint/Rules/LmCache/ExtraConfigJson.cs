using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class ExtraConfigJson : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC009",
        Severity = LintSeverity.Error,
        Title = "LMCACHE_EXTRA_CONFIG is no JSON",
        Why = "As a variable it must be JSON. A Python dict (single quotes, True) does not parse, and all that it holds is dropped: S3 region, TLS, direct I/O.",
        Symptom = "`Failed to parse config value` in the log; with S3 then `AssertionError: s3_region is required`.",
        Fix = "Write JSON: double quotes, true and false in lower case; in a shell the whole in single quotes.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/config.py, extra_config", "LMCache issue #1522"],
        GoodExample = RuleExample.EnvFile("LMCACHE_EXTRA_CONFIG={\"use_odirect\": true}\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_EXTRA_CONFIG={'use_odirect': True}\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (process.LmCache.Find("extra_config") is not { Origin: LmCacheOrigin.Environment } setting || setting.Value.HasUnknown || setting.Value.Value.Length == 0) { return; }
        var json = JsonReader.TryRead(setting.Value, out var error);
        if (json is { Kind: DataKind.Object }) { return; }
        var span = error?.Span ?? setting.Value.Span;
        findings.Report(Info, span, $"{setting.Name.Value} is no JSON object: {error?.Message ?? "expected '{…}'"}.", AsJson(setting.Value));
    }

    private static TextEdit[] AsJson(SourcedText value)
    {
        if (value.Value.Contains('"', StringComparison.Ordinal) || value.TryExact() is not { } exact) { return []; }
        var json = value.Value.Replace('\'', '"').Replace(": True", ": true", StringComparison.Ordinal).Replace(": False", ": false", StringComparison.Ordinal)
            .Replace(":True", ":true", StringComparison.Ordinal).Replace(":False", ":false", StringComparison.Ordinal).Replace(": None", ": null", StringComparison.Ordinal);
        return JsonReader.TryRead(SourcedText.Implied(json, exact), out _) is { Kind: DataKind.Object }
            ? [new TextEdit(exact, json)] : [];
    }
}
