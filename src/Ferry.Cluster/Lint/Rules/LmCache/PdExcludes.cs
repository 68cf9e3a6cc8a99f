using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdExcludes : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC021",
        Severity = LintSeverity.Error,
        Title = "A feature that prefill-decode mode excludes",
        Why = "PD mode asserts that enable_p2p is off, moves data over the nixl channel only (hccl and hixl exist in the Ascend build), and has no layer-wise transfer.",
        Symptom = "`AssertionError: PD only supports enable_p2p=False`, or `ValueError` for the channel.",
        Fix = "Switch the other feature off, and set transfer_channel to nixl.",
        Versions = "LMCache 0.4",
        Sources = ["lmcache/v1/config.py, _validate_config", "lmcache/v1/storage_backend/pd_backend.py"],
        GoodExample = RuleExample.LmCacheYaml("enable_pd: true\npd_role: sender\nuse_layerwise: false\n"),
        BadExample = RuleExample.LmCacheYaml("enable_pd: true\npd_role: sender\nuse_layerwise: true\n"),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (!LmCacheFacts.IsPd(process)) { return; }
        foreach (var key in new[] { "enable_p2p", "use_layerwise" })
        {
            if (process.LmCache.IsTrue(key, false) && process.LmCache.Find(key) is { } setting)
            {
                findings.Report(Info, setting.Span, $"{setting.Name.Value} is on together with prefill-decode mode, which excludes it.");
            }
        }
        if (process.LmCache.Find("transfer_channel") is { } channel && !channel.Value.HasUnknown && channel.Value.Value.Trim() is "hccl" or "hixl" &&
            process.Accelerator.Kind != AcceleratorKind.Unknown)
        {
            findings.Report(Info, channel.Span, $"{channel.Name.Value} is {channel.Value.Value}, which exists on Ascend only; this is {process.Accelerator.Name}.");
        }
    }
}
