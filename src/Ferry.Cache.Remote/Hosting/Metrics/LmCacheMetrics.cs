using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Cache.Tiers;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Hosting.Metrics;

/// <summary>What the exchange counts, by LMCache's own names (its Prometheus logger of 2025-06), so that dashboards made for it fit. Each rank's shard counts, as there.</summary>
internal sealed class LmCacheMetrics
{
    private const string Disk = "disk";

    private readonly RecordCache _cache;
    private readonly TierUsageWatch _usage;
    private readonly ClientMetrics _clients;
    private readonly List<(MetricSeries Series, Func<Figures, double> Read)> _copies = [];

    public LmCacheMetrics(MetricRegistry registry, RecordCache cache, TierUsageWatch usage, ClientMetrics clients, FrontMetrics fronts)
    {
        (_cache, _usage, _clients) = (cache, usage, clients);
        Counter(registry, "num_retrieve_requests_total", "Values that clients asked for.", figures => figures.Clients.Gets);
        Counter(registry, "num_store_requests_total", "Values that clients stored.", figures => figures.Clients.Puts);
        Counter(registry, "num_requested_tokens_total", "Tokens of the shards that clients asked for; only where a model card says how many.", figures => figures.Clients.TokensRequested);
        Counter(registry, "num_hit_tokens_total", "Tokens of the shards that clients got; only where a model card says how many.", figures => figures.Clients.TokensHit);
        Counter(registry, "num_remote_read_requests_total", "Records read from the remote tier.", figures => figures.Remote(tier => tier.Counts.Reads));
        Counter(registry, "num_remote_read_bytes_total", "Bytes read from the remote tier.", figures => figures.Remote(tier => tier.Counts.ReadBytes));
        Counter(registry, "num_remote_write_requests_total", "Records written to the remote tier.", figures => figures.Remote(tier => tier.Counts.Puts));
        Counter(registry, "num_remote_write_bytes_total", "Bytes written to the remote tier.", figures => figures.Remote(tier => tier.Counts.PutBytes));
        Gauge(registry, "cache_hit_rate", "Share of the values asked for that were delivered, since the start.", figures => figures.Clients.Gets == 0 ? 0 : figures.Clients.Hits / figures.Clients.Gets);
        Gauge(registry, "local_cache_usage", "Bytes in the memory tier.", figures => figures.MemoryBytes);
        Gauge(registry, "local_storage_usage", "Bytes in the disk tier.", figures => figures.Usage(tier => tier.Kind == Disk));
        Gauge(registry, "remote_cache_usage", "Bytes in the remote tier.", figures => figures.Usage(tier => tier.Kind != Disk));
        registry.Alias("lmcache:time_to_retrieve", "Seconds of a GET, transfer included.", fronts.Seconds, "command", "get");
        registry.Alias("lmcache:time_to_store", "Seconds of a SET, transfer included.", fronts.Seconds, "command", "set");
        registry.OnCollect(Copy);
    }

    private void Gauge(MetricRegistry registry, string name, string help, Func<Figures, double> read) => _copies.Add((registry.Gauge("lmcache:" + name, help).With(), read));

    private void Counter(MetricRegistry registry, string name, string help, Func<Figures, double> read) => _copies.Add((registry.Counter("lmcache:" + name, help).With(), read));

    private void Copy()
    {
        var figures = new Figures(_cache.Memory.Snapshot().UsedBytes, _cache.SnapshotTiers(), _usage.Latest, _clients.Totals());
        foreach (var (series, read) in _copies)
        {
            series.Set(read(figures));
        }
    }

    /// <summary>One look at all counts, so that figures of one scrape belong together.</summary>
    private sealed record Figures(long MemoryBytes, IReadOnlyList<TierStats> Tiers, IReadOnlyDictionary<string, TierUsage> Usages, ClientTotals Clients)
    {
        public double Remote(Func<TierStats, long> read) => Tiers.Where(tier => tier.Kind != Disk).Sum(read);

        public double Usage(Func<TierStats, bool> which) => Tiers.Where(which).Sum(tier => Usages.TryGetValue(tier.Name, out var usage) ? usage.Bytes : 0);
    }
}
