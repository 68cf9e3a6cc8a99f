using Ferry.Cache.Tiers;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Metrics;

/// <summary>The series of the tiers below memory, labelled with the tier's name.</summary>
internal sealed class TierMetrics
{
    private readonly RecordCache _cache;
    private readonly List<(MetricFamily Family, string? Label, Func<TierStats, double> Read)> _copies = [];
    private readonly MetricFamily _usedBytes;
    private readonly MetricFamily _limitBytes;
    private readonly MetricFamily _records;

    public TierMetrics(MetricRegistry registry, RecordCache cache)
    {
        _cache = cache;
        _usedBytes = registry.Gauge("ferry_cache_tier_used_bytes", "Record bytes in the tier when it was measured last.", "tier");
        _limitBytes = registry.Gauge("ferry_cache_tier_limit_bytes", "Cap of the tier.", "tier");
        _records = registry.Gauge("ferry_cache_tier_records", "Records in the tier when it was measured last.", "tier");
        Add(registry.Counter("ferry_cache_tier_reads_total", "Records read from the tier.", "tier"), stats => stats.Counts.Reads);
        Add(registry.Counter("ferry_cache_tier_read_bytes_total", "Bytes read from the tier.", "tier"), stats => stats.Counts.ReadBytes);
        Add(registry.Counter("ferry_cache_tier_misses_total", "Chunks that the tier did not have.", "tier"), stats => stats.Counts.Misses);
        Add(registry.Counter("ferry_cache_tier_puts_total", "Records put into the tier.", "tier"), stats => stats.Counts.Puts);
        Add(registry.Counter("ferry_cache_tier_put_bytes_total", "Bytes put into the tier.", "tier"), stats => stats.Counts.PutBytes);
        Add(registry.Counter("ferry_cache_tier_evictions_total", "Records that the tier evicted.", "tier"), stats => stats.Counts.Evictions);
        var failures = registry.Counter("ferry_cache_tier_failures_total", "What went wrong at the tier.", "tier", "reason");
        Add(failures, stats => stats.Counts.Damaged, "damaged");
        Add(failures, stats => stats.Counts.Refused, "refused");
        Add(failures, stats => stats.Failures, "failed");
        Add(failures, stats => stats.Timeouts, "timeout");
        var up = registry.Gauge("ferry_cache_tier_up", "0 while the tier is left alone because it failed.", "tier", "direction");
        Add(up, stats => stats.IsReadingOff ? 0 : 1, "read");
        Add(up, stats => stats.IsWritingOff ? 0 : 1, "write");
        Add(registry.Gauge("ferry_cache_tier_queue_bytes", "Record bytes waiting to be written behind.", "tier"), stats => stats.QueuedBytes);
        var behind = registry.Counter("ferry_cache_tier_behind_total", "Records queued for writing behind, by what became of them.", "tier", "result");
        Add(behind, stats => stats.Written, "written");
        Add(behind, stats => stats.WriteDropped, "dropped");
        Add(behind, stats => stats.WriteFailed, "failed");
        Add(behind, stats => stats.WriteWithdrawn, "withdrawn");
        Add(registry.Gauge("ferry_cache_tier_bytes_per_second", "Measured rate of one read.", "tier"), stats => stats.Rates.BytesPerSecond);
        Add(registry.Gauge("ferry_cache_tier_latency_seconds", "Measured latency of a look-up.", "tier"), stats => stats.Rates.Latency.TotalSeconds);
        // From a memory-backed file to a deadline: 100 us to 10 s.
        var seconds = registry.Histogram(
            "ferry_cache_tier_operation_seconds", "Time of operations that the tier carried out.",
            [.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10], "tier", "operation");
        foreach (var tier in cache.Tiers)
        {
            var series = Enum.GetValues<TierOperation>().ToDictionary(operation => operation, operation => seconds.With(tier.Name, MetricWords.Of(operation.ToString())));
            tier.Meter.OnTimed = (operation, time) => series[operation].Observe(time.TotalSeconds);
        }
    }

    public void Copy(IReadOnlyList<TierStats> tiers)
    {
        foreach (var tier in tiers)
        {
            foreach (var (family, label, read) in _copies)
            {
                (label is null ? family.With(tier.Name) : family.With(tier.Name, label)).Set(read(tier));
            }
        }
    }

    /// <returns>By the tier's name; a tier that is off now or measures nothing is left out.</returns>
    public async Task<IReadOnlyDictionary<string, TierUsage>> MeasureAsync(CancellationToken cancellationToken)
    {
        var measured = new Dictionary<string, TierUsage>(StringComparer.Ordinal);
        foreach (var tier in _cache.Tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Measure) && await tier.MeasureAsync(cancellationToken) is { } usage)
            {
                _usedBytes.With(tier.Name).Set(usage.Bytes);
                _records.With(tier.Name).Set(usage.Records);
                _limitBytes.With(tier.Name).Set(usage.CapacityBytes ?? double.PositiveInfinity);
                measured[tier.Name] = usage;
            }
        }
        return measured;
    }

    private void Add(MetricFamily family, Func<TierStats, double> read, string? label = null) => _copies.Add((family, label, read));
}
