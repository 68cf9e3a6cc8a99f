using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class DiskPathForm : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC014",
        Severity = LintSeverity.Error,
        Title = "A disk path that LMCache takes for a relative directory",
        Why = "LMCache accepts an absolute path and file:///path. Any other form with file: (one slash, or two before a name) becomes a directory literally named \"file:\" below the working directory; a relative path lies wherever the engine was started.",
        Symptom = "None: a directory `file:` appears in the container's working directory and fills its root file system.",
        Fix = "Write the absolute path.",
        Versions = "LMCache, all versions",
        Sources = ["lmcache/v1/config_base.py, _parse_local_disk", "LMCache issue #1788"],
        GoodExample = RuleExample.EnvFile("LMCACHE_LOCAL_DISK=file:///nvme/lmcache/\nLMCACHE_MAX_LOCAL_DISK_SIZE=100\n"),
        BadExample = RuleExample.EnvFile("LMCACHE_LOCAL_DISK=file:/nvme/lmcache\nLMCACHE_MAX_LOCAL_DISK_SIZE=100\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.Disk(process) is not { } disk || disk.Value.HasUnknown) { return; }
        var path = disk.Value.Value.Trim().Trim('"', '\'');
        if (path.StartsWith('/') || path.StartsWith("file:///", StringComparison.Ordinal) || path.Length == 0) { return; }
        if (path is "false" or "False" or "true" or "True")
        {
            findings.Report(Info, disk.Value.Span, $"{disk.Name.Value} is {path}: it takes a directory. Remove the line to have no disk tier.");
            return;
        }
        var isFile = path.StartsWith("file:", StringComparison.Ordinal);
        var meant = isFile ? "/" + path["file:".Length..].TrimStart('/') : null;
        TextEdit[] fix = meant is not null && disk.Value.TryExact() is { } exact ? [new TextEdit(exact, meant)] : [];
        findings.Report(Info, disk.Value.Span, isFile
            ? $"{disk.Name.Value} is '{path}', which makes a relative directory named 'file:'. Write {meant}."
            : $"{disk.Name.Value} is '{path}', a relative path: it lies wherever the engine is started. Write an absolute one.", fix);
    }
}
