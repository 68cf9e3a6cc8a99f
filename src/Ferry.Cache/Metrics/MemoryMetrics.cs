using Ferry.Cache.Records;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Metrics;

/// <summary>The series of the memory tier.</summary>
internal sealed class MemoryMetrics
{
    private readonly List<(MetricSeries Series, Func<RecordStoreStats, double> Read)> _copies = [];
    private readonly MetricFamily _left;
    private readonly MetricFamily _leftBytes;

    public MemoryMetrics(MetricRegistry registry)
    {
        Add(registry.Gauge("ferry_cache_memory_limit_bytes", "Cap of the memory tier."), stats => stats.CapacityBytes);
        Add(registry.Gauge("ferry_cache_memory_used_bytes", "Arena bytes in use."), stats => stats.UsedBytes);
        Add(registry.Gauge("ferry_cache_memory_held_bytes", "Arena bytes that cannot be evicted now: leased, pinned, or being filled."), stats => stats.HeldBytes);
        Add(registry.Gauge("ferry_cache_memory_chunks", "Chunks in memory."), stats => stats.Chunks);
        Add(registry.Gauge("ferry_cache_memory_records", "Records in memory."), stats => stats.Records);
        Add(registry.Gauge("ferry_cache_memory_pinned_chunks", "Chunks pinned by their key."), stats => stats.PinnedChunks);
        Add(registry.Gauge("ferry_cache_leases", "Leases of records in memory."), stats => stats.Leases);
        var lookups = registry.Counter("ferry_cache_memory_lookups_total", "Chunks that memory was asked for.", "result");
        _copies.Add((lookups.With("hit"), stats => stats.Hits));
        _copies.Add((lookups.With("miss"), stats => stats.Misses));
        Add(registry.Counter("ferry_cache_memory_hit_bytes_total", "Record bytes that were found in memory."), stats => stats.HitBytes);
        Add(registry.Counter("ferry_cache_memory_stored_total", "Records put into memory."), stats => stats.Stored);
        Add(registry.Counter("ferry_cache_memory_stored_bytes_total", "Record bytes put into memory."), stats => stats.StoredBytes);
        Add(registry.Counter("ferry_cache_memory_duplicates_total", "Records put although they were there, and dropped."), stats => stats.Duplicates);
        var refused = registry.Counter("ferry_cache_memory_refused_total", "Records that got no room.", "reason");
        _copies.Add((refused.With("full"), stats => stats.Refused));
        _copies.Add((refused.With("over_quota"), stats => stats.OverQuota));
        _left = registry.Counter("ferry_cache_memory_left_total", "Chunks that left the memory.", "reason");
        _leftBytes = registry.Counter("ferry_cache_memory_left_bytes_total", "Arena bytes of the chunks that left the memory.", "reason");
    }

    public void Copy(RecordStoreStats stats)
    {
        foreach (var (series, read) in _copies)
        {
            series.Set(read(stats));
        }
        foreach (var (reason, (count, bytes)) in stats.Left)
        {
            _left.With(MetricWords.Of(reason.ToString())).Set(count);
            _leftBytes.With(MetricWords.Of(reason.ToString())).Set(bytes);
        }
    }

    private void Add(MetricFamily family, Func<RecordStoreStats, double> read) => _copies.Add((family.With(), read));
}
