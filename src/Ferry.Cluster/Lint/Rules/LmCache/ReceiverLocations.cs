using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class ReceiverLocations : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC020",
        Severity = LintSeverity.Error,
        Title = "A receiver may not look in or store to these places",
        Why = "LMCache asserts that a PD receiver's retrieve_locations is unset or exactly [\"PDBackend\"], and that its store_location is not PDBackend. A receiver that should read S3 as well must leave retrieve_locations unset.",
        Symptom = "`AssertionError: for pd receiver, retrieve_locations are expected to be [\"PDBackend\"]`.",
        Fix = "Remove retrieve_locations, and store_location where it names PDBackend.",
        Versions = "LMCache 0.4",
        Sources = ["lmcache/v1/config.py, _validate_config"],
        GoodExample = RuleExample.LmCacheYaml("enable_pd: true\npd_role: receiver\nretrieve_locations: [PDBackend]\n"),
        BadExample = RuleExample.LmCacheYaml("enable_pd: true\npd_role: receiver\nretrieve_locations: [PDBackend, RemoteBackend]\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (!LmCacheFacts.IsPd(process) || !LmCacheFacts.IsReceiver(process)) { return; }
        if (process.LmCache.Find("retrieve_locations") is { } retrieve && retrieve.Value.Value.Trim(' ', '[', ']', '"') is not ("PDBackend" or "" or "null" or "None"))
        {
            findings.Report(Info, retrieve.Span, $"{retrieve.Name.Value} is {retrieve.Value.Value}; of a receiver it must be unset or PDBackend alone.");
        }
        if (process.LmCache.Find("store_location") is { } store && store.Value.Value.Trim() == "PDBackend")
        {
            findings.Report(Info, store.Span, $"{store.Name.Value} is PDBackend, to which a receiver cannot store.");
        }
    }
}
