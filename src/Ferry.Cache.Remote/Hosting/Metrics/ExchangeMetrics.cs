using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Hosting.Metrics;

/// <summary>What the exchange holds and does, and the same by LMCache's names where LMCache has one.</summary>
internal sealed class ExchangeMetrics
{
    private readonly ExchangeHost _exchange;
    private readonly TimeProvider _clock;
    private readonly List<(MetricSeries Series, Func<Totals, double> Read)> _copies = [];
    private readonly List<(MetricFamily Family, Func<TierStats, double> Read)> _tierCopies = [];
    private readonly MetricFamily _tierOff;
    private readonly MetricFamily _tierBytes;

    public ExchangeMetrics(MetricRegistry registry, ExchangeHost exchange, TimeProvider clock)
    {
        (_exchange, _clock) = (exchange, clock);
        Gauge(registry, "ferry_cache_memory_limit_bytes", "Cap of the memory tier.", totals => totals.Memory.CapacityBytes);
        Gauge(registry, "ferry_cache_memory_bytes", "Bytes in the memory tier.", totals => totals.Memory.UsedBytes);
        Gauge(registry, "ferry_cache_memory_held_bytes", "Of those, bytes that cannot be evicted now: read, pinned or being filled.", totals => totals.Memory.HeldBytes);
        Gauge(registry, "ferry_cache_memory_records", "Records in memory.", totals => totals.Memory.Records);
        Gauge(registry, "ferry_cache_memory_chunks", "Chunks in memory.", totals => totals.Memory.Chunks);
        Counter(registry, "ferry_cache_memory_hits_total", "Chunks asked for and found in memory.", totals => totals.Memory.Hits);
        Counter(registry, "ferry_cache_memory_misses_total", "Chunks asked for and not found in memory.", totals => totals.Memory.Misses);
        Counter(registry, "ferry_cache_memory_evictions_total", "Chunks dropped from memory to make room.", totals => totals.Memory.Evictions);
        Counter(registry, "ferry_cache_memory_refused_total", "Records that found no room in memory.", totals => totals.Memory.Refused);
        Counter(registry, "ferry_cache_memory_duplicates_total", "Records stored a second time and dropped.", totals => totals.Memory.Duplicates);
        Counter(registry, "ferry_cache_memory_damaged_total", "Records in memory whose checksum did not match.", totals => totals.Memory.Damaged);
        _tierBytes = registry.Gauge("ferry_cache_tier_bytes", "Bytes in a tier below memory, as measured last.", "tier");
        Tier(registry.Counter("ferry_cache_tier_reads_total", "Records read from a tier.", "tier"), tier => tier.Counts.Reads);
        Tier(registry.Counter("ferry_cache_tier_read_bytes_total", "Bytes read from a tier.", "tier"), tier => tier.Counts.ReadBytes);
        Tier(registry.Counter("ferry_cache_tier_misses_total", "Look-ups that found nothing in a tier.", "tier"), tier => tier.Counts.Misses);
        Tier(registry.Counter("ferry_cache_tier_damaged_total", "Records of a tier that were damaged and dropped.", "tier"), tier => tier.Counts.Damaged);
        Tier(registry.Counter("ferry_cache_tier_writes_total", "Records written to a tier.", "tier"), tier => tier.Counts.Puts);
        Tier(registry.Counter("ferry_cache_tier_written_bytes_total", "Bytes written to a tier.", "tier"), tier => tier.Counts.PutBytes);
        Tier(registry.Counter("ferry_cache_tier_evictions_total", "Records dropped from a tier to make room.", "tier"), tier => tier.Counts.Evictions);
        Tier(registry.Counter("ferry_cache_tier_refused_total", "Records that a tier had no room for.", "tier"), tier => tier.Counts.Refused);
        Tier(registry.Counter("ferry_cache_tier_timeouts_total", "Operations of a tier that were given up at their deadline.", "tier"), tier => tier.Timeouts);
        Tier(registry.Gauge("ferry_cache_write_queue_bytes", "Bytes that wait to be written to a tier.", "tier"), tier => tier.QueuedBytes);
        Tier(registry.Counter("ferry_cache_write_dropped_total", "Records that found the queue of a tier full.", "tier"), tier => tier.WriteDropped);
        Tier(registry.Counter("ferry_cache_write_failed_total", "Records that a tier did not take.", "tier"), tier => tier.WriteFailed);
        _tierOff = registry.Gauge("ferry_cache_tier_off", "1 while a tier is left alone after failures.", "tier", "direction");
        Gauge(registry, "ferry_cache_uptime_seconds", "Seconds since the start.", totals => (clock.GetUtcNow() - exchange.StartedAt).TotalSeconds);
        AddLmCacheNames(registry);
        registry.OnCollect(Copy);
    }

    /// <summary>LMCache's own names (its Prometheus logger of 2025-06), so that dashboards made for it fit. Each rank's shard counts, as there.</summary>
    private void AddLmCacheNames(MetricRegistry registry)
    {
        Counter(registry, "lmcache:num_remote_read_requests_total", "Records read from the remote tier.", totals => totals.Remote(tier => tier.Counts.Reads));
        Counter(registry, "lmcache:num_remote_read_bytes_total", "Bytes read from the remote tier.", totals => totals.Remote(tier => tier.Counts.ReadBytes));
        Counter(registry, "lmcache:num_remote_write_requests_total", "Records written to the remote tier.", totals => totals.Remote(tier => tier.Counts.Puts));
        Counter(registry, "lmcache:num_remote_write_bytes_total", "Bytes written to the remote tier.", totals => totals.Remote(tier => tier.Counts.PutBytes));
        Gauge(registry, "lmcache:local_cache_usage", "Bytes in the memory tier.", totals => totals.Memory.UsedBytes);
        Gauge(registry, "lmcache:local_storage_usage", "Bytes in the disk tier.", totals => totals.Usage("disk"));
        Gauge(registry, "lmcache:remote_cache_usage", "Bytes in the remote tier.", totals => totals.RemoteUsage);
    }

    private void Gauge(MetricRegistry registry, string name, string help, Func<Totals, double> read) => _copies.Add((registry.Gauge(name, help).With(), read));

    private void Counter(MetricRegistry registry, string name, string help, Func<Totals, double> read) => _copies.Add((registry.Counter(name, help).With(), read));

    private void Tier(MetricFamily family, Func<TierStats, double> read) => _tierCopies.Add((family, read));

    private void Copy()
    {
        var totals = new Totals(_exchange.Cache.Memory.Snapshot(), _exchange.Cache.SnapshotTiers(), _exchange.Usage.Latest);
        foreach (var (series, read) in _copies)
        {
            series.Set(read(totals));
        }
        foreach (var tier in totals.Tiers)
        {
            foreach (var (family, read) in _tierCopies)
            {
                family.With(tier.Kind).Set(read(tier));
            }
            _tierBytes.With(tier.Kind).Set(totals.Usage(tier.Kind));
            _tierOff.With(tier.Kind, "reading").Set(tier.IsReadingOff ? 1 : 0);
            _tierOff.With(tier.Kind, "writing").Set(tier.IsWritingOff ? 1 : 0);
        }
    }

    /// <summary>One look at all counts, so that figures of one scrape belong together.</summary>
    private sealed record Totals(Records.RecordStoreStats Memory, IReadOnlyList<TierStats> Tiers, IReadOnlyDictionary<string, long> UsageByKind)
    {
        private const string Disk = "disk";

        public double Usage(string kind) => UsageByKind.GetValueOrDefault(kind);

        public double RemoteUsage => UsageByKind.Where(pair => pair.Key != Disk).Sum(pair => pair.Value);

        public double Remote(Func<TierStats, long> read) => Tiers.Where(tier => tier.Kind != Disk).Sum(read);
    }
}
