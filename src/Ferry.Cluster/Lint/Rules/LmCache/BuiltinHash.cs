using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class BuiltinHash : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC045",
        Severity = LintSeverity.Warning,
        Title = "Keys shared between nodes are made by Python's hash()",
        Why = "pre_caching_hash_algorithm is builtin unless set, which is Python's hash(): 64 bits without protection from collisions, seeded by PYTHONHASHSEED, and different between Python versions (before 3.12, and before LMCache 0.3.14, even between processes). sha256_cbor is the same everywhere.",
        Symptom = "No hits between images with different Python versions; `Could not load 'builtin'` in the log of newer versions.",
        Fix = "Set LMCACHE_PRE_CACHING_HASH_ALGORITHM=sha256_cbor on every node.",
        Versions = "LMCache in vLLM's process (LMCacheConnectorV1), all versions",
        Sources = ["lmcache/v1/token_database.py", "LMCache issues #2136, #2511, #1521"],
        GoodExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=redis://10.0.0.5:6379\nLMCACHE_PRE_CACHING_HASH_ALGORITHM=sha256_cbor\n"),
        BadExample = RuleExample.EnvFile("PYTHONHASHSEED=0\nLMCACHE_REMOTE_URL=redis://10.0.0.5:6379\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        var algorithm = process.LmCache.Find("pre_caching_hash_algorithm");
        if (!LmCacheFacts.IsShared(process) || (algorithm is not null && algorithm.Value.Value.Trim() != "builtin")) { return; }
        var reason = LmCacheFacts.RemoteUrl(process) ?? process.LmCache.Find("enable_pd") ?? process.LmCache.All[0];
        var place = algorithm ?? reason;
        var fix = algorithm?.Value.TryExact() is { } exact ? [new Sources.TextEdit(exact, "sha256_cbor")]
            : process.Environment.All.FirstOrDefault(setting => setting.Name.Span == reason.Name.Span) is { } setting
                ? LmCacheFacts.InsertBeside(setting, "LMCACHE_PRE_CACHING_HASH_ALGORITHM", "sha256_cbor") : [];
        findings.Report(Info, place.Span, $"{process.Name} shares KV by {reason.Name.Value} under keys of Python's hash(); sha256_cbor is the same on every node.", fix);
    }
}
