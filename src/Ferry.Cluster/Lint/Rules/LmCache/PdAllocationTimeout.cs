using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdAllocationTimeout : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC026",
        Severity = LintSeverity.Info,
        Title = "A full receiver blocks every sender for ever",
        Why = "pd_allocation_timeout_sec is infinite unless set: a receiver without free buffer retries while it holds its only reply socket, so all senders wait behind one prompt.",
        Symptom = "Prefill nodes stop at once under load, without an error; only a restart of the decode node helps.",
        Fix = "Set pd_allocation_timeout_sec to some seconds; a failed hand-over is computed again.",
        Versions = "LMCache 0.4",
        Sources = ["lmcache/v1/config.py, pd_allocation_timeout_sec", "lmcache/v1/storage_backend/pd_backend.py"],
        GoodExample = RuleExample.LmCacheYaml("enable_pd: true\npd_role: receiver\npd_allocation_timeout_sec: 10\n"),
        BadExample = RuleExample.LmCacheYaml("enable_pd: true\npd_role: receiver\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (LmCacheFacts.IsPd(process) && LmCacheFacts.IsReceiver(process) && process.LmCache.Find("pd_allocation_timeout_sec") is null && process.LmCache.Find("pd_role") is { } role)
        {
            findings.Report(Info, role.Span, $"{LmCacheFacts.Spell(process, "pd_allocation_timeout_sec")} is not set, so this receiver waits for buffer without limit.");
        }
    }
}
