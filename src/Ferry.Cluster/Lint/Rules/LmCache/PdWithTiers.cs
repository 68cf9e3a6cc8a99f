using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Rules.LmCache;

internal sealed class PdWithTiers : LmCacheRule
{
    public override RuleInfo Info { get; } = new()
    {
        Id = "FERRY-LMC017",
        Severity = LintSeverity.Error,
        Title = "Disk or remote tiers beside prefill-decode mode need the CPU tier",
        Why = "With enable_pd LMCache makes its CPU tier only if local_cpu is true and max_local_cpu_size is above 0. The disk tier and remote plugins assert that it is there; a remote_url is handed none and fails at the first use.",
        Symptom = "A bare `AssertionError` while backends are created, or `AttributeError: 'NoneType' object has no attribute 'allocate'`.",
        Fix = "Set local_cpu true with a size, or remove the disk and remote settings.",
        Versions = "LMCache 0.4",
        Sources = ["lmcache/v1/storage_backend/__init__.py, CreateStorageBackends"],
        GoodExample = RuleExample.LmCacheYaml("""
            enable_pd: true
            pd_role: receiver
            pd_buffer_size: 2147483648
            pd_buffer_device: cpu
            transfer_channel: nixl
            pd_peer_host: 10.0.0.2
            pd_peer_init_port: [7300]
            pd_peer_alloc_port: [7400]
            local_cpu: true
            max_local_cpu_size: 20
            local_disk: /nvme/lmcache
            max_local_disk_size: 100
            """),
        BadExample = RuleExample.LmCacheYaml("""
            enable_pd: true
            pd_role: receiver
            pd_buffer_size: 2147483648
            pd_buffer_device: cpu
            transfer_channel: nixl
            pd_peer_host: 10.0.0.2
            pd_peer_init_port: [7300]
            pd_peer_alloc_port: [7400]
            local_cpu: false
            max_local_cpu_size: 0
            local_disk: /nvme/lmcache
            max_local_disk_size: 100
            """),
    };

    protected override void Check(ObservedProcess process, ObservedCluster cluster, FindingSink findings)
    {
        if (!LmCacheFacts.IsPd(process)) { return; }
        var hasCpu = process.LmCache.IsTrue("local_cpu", true) && process.LmCache.Number("max_local_cpu_size", 5) > 0;
        if (hasCpu) { return; }
        var off = process.LmCache.Find("local_cpu") is { } local && !process.LmCache.IsTrue("local_cpu", true) ? local : process.LmCache.Find("max_local_cpu_size")!;
        var tier = LmCacheFacts.HasDiskTier(process) ? LmCacheFacts.Disk(process) : LmCacheFacts.RemoteUrl(process) ?? process.LmCache.Find("remote_storage_plugins");
        if (tier is not null)
        {
            findings.Report(Info, off.Span, $"{off.Name.Value} is {off.Value.Value}, so prefill-decode mode has no CPU tier, which {tier.Name.Value} (line {tier.Span.Line}) needs.");
        }
    }
}
