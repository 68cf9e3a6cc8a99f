using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

/// <summary>Questions that several rules ask of a process's LMCache settings.</summary>
internal static class LmCacheFacts
{
    public static LmCacheSetting? RemoteUrl(ObservedProcess process) =>
        process.LmCache.Find("remote_url") is { } setting && setting.Value.Value.Length > 0 && !setting.Value.Value.Equals("null", StringComparison.OrdinalIgnoreCase) ? setting : null;

    /// <summary>The S3 URL of the remote tier, or null.</summary>
    public static LmCacheSetting? S3(ObservedProcess process) =>
        RemoteUrl(process) is { } url && url.Value.Value.StartsWith("s3://", StringComparison.OrdinalIgnoreCase) ? url : null;

    public static bool IsPd(ObservedProcess process) => process.LmCache.IsTrue("enable_pd", false);

    public static bool IsSender(ObservedProcess process) => process.LmCache.Value("pd_role")?.Value.Equals("sender", StringComparison.OrdinalIgnoreCase) is true;

    public static bool IsReceiver(ObservedProcess process) => process.LmCache.Value("pd_role")?.Value.Equals("receiver", StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>KV that other processes are meant to find: a remote tier or a hand-over by content hash.</summary>
    public static bool IsShared(ObservedProcess process) => RemoteUrl(process) is not null || IsPd(process) || process.LmCache.Find("remote_storage_plugins") is not null;

    /// <summary>So near that a slip of the finger explains it: at most two letters dropped, added or changed. Only then an edit may replace the name.</summary>
    public static bool IsTypo(string written, string meant)
    {
        if (Math.Abs(written.Length - meant.Length) > 2) { return false; }
        var row = Enumerable.Range(0, meant.Length + 1).ToArray();
        for (var i = 1; i <= written.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= meant.Length; j++)
            {
                var above = row[j];
                var isSame = char.ToUpperInvariant(written[i - 1]) == char.ToUpperInvariant(meant[j - 1]);
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (isSame ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1] <= 2;
    }

    /// <summary>Where a rule points that misses something in the settings: their first line.</summary>
    public static SourceSpan Place(ObservedProcess process) => process.LmCache.All[0].Span;

    /// <summary>How a setting is spelled where this process has its settings: the variable, or the YAML key.</summary>
    public static string Spell(ObservedProcess process, string key) =>
        process.LmCache.All.Any(setting => setting.Origin == LmCacheOrigin.Environment) ? "LMCACHE_" + key.ToUpperInvariant() : key;

    /// <summary>A disk directory that LMCache would use; <c>false</c> and nothing are none.</summary>
    public static LmCacheSetting? Disk(ObservedProcess process) =>
        process.LmCache.Find("local_disk") is { } disk && disk.Value.Value.Length > 0 &&
        disk.Value.Value is not ("null" or "None" or "~") ? disk : null;

    public static bool HasDiskTier(ObservedProcess process) => Disk(process) is not null && process.LmCache.Number("max_local_disk_size", 0) > 0;

    /// <summary>Edits that insert a line of the same form beside an environment setting: "-e NAME=value \" in a script, "NAME=value" in an env file.</summary>
    public static IReadOnlyList<TextEdit> InsertBeside(EnvironmentSetting setting, string name, string value)
    {
        var file = setting.Span.File;
        var line = setting.Span.Line;
        var start = file.StartOfLine(line);
        if (setting.Span.End > file.Line(line).End) { return []; }
        var before = file.Text[start..setting.Span.Offset];
        var after = file.Line(line).Text[(setting.Span.End - start)..].Trim();
        var ownsLine = before.Trim().Length == 0;
        var text = setting.Origin switch
        {
            EnvironmentOrigin.DockerFlag when ownsLine && after == "\\" => $"{before}-e {name}={value} \\\n",
            EnvironmentOrigin.EnvFile when ownsLine && after.Length == 0 => $"{before}{name}={value}\n",
            EnvironmentOrigin.Compose when ownsLine && after.Length == 0 && setting.Span.Text.Contains(": ", StringComparison.Ordinal) => $"{before}{name}: \"{value}\"\n",
            _ => "",
        };
        return text.Length == 0 ? [] : [new TextEdit(file.Span(start, 0), text)];
    }
}
