using Ferry.Kv.Metrics;

namespace Ferry.Serving.Metrics;

/// <summary>The exchange's counters: the proof, in sum, of what moved.</summary>
internal sealed class ExchangeMetrics
{
    private readonly IKvReports _reports;
    private readonly MetricFamily _bytesMoved;
    private readonly MetricFamily _tokensLoaded;
    private readonly List<(MetricSeries Series, Func<KvTotals, double> Read)> _copies = [];

    public ExchangeMetrics(MetricRegistry registry, IKvReports reports)
    {
        _reports = reports;
        _bytesMoved = registry.Counter("ferry_kv_bytes_moved_total", "KV payload bytes loaded, by tier.", "tier");
        _tokensLoaded = registry.Counter("ferry_kv_tokens_loaded_total", "Prompt tokens whose KV was loaded, by tier.", "tier");
        Add(registry.Counter("ferry_kv_bytes_converted_total", "Loaded bytes that were rewritten into this node's layout."), totals => totals.BytesConverted);
        Add(registry.Counter("ferry_kv_bytes_saved_total", "Bytes put into the exchange."), totals => totals.BytesSaved);
        Add(registry.Counter("ferry_kv_bytes_served_total", "Bytes that peers read from this node."), totals => totals.BytesServed);
        Add(registry.Counter("ferry_kv_checksum_failures_total", "Damaged records, dropped and computed anew."), totals => totals.ChecksumFailures);
        Add(registry.Counter("ferry_kv_nacks_total", "Reads refused because a lease had ended."), totals => totals.Nacks);
        Add(registry.Counter("ferry_kv_load_failures_total", "Loads that failed and were computed instead."), totals => totals.LoadFailures);
        Add(registry.Counter("ferry_kv_leases_expired_total", "Leases that ended before anybody read."), totals => totals.LeasesExpired);
        Add(registry.Gauge("ferry_kv_memory_bytes", "Bytes in the memory tier."), totals => totals.MemoryBytesUsed);
        Add(registry.Gauge("ferry_kv_memory_limit_bytes", "Cap of the memory tier."), totals => totals.MemoryBytesLimit);
        registry.OnCollect(Copy);
    }

    private void Add(MetricFamily family, Func<KvTotals, double> read) => _copies.Add((family.With(), read));

    private void Copy()
    {
        var totals = _reports.Snapshot();
        foreach (var (series, read) in _copies)
        {
            series.Set(read(totals));
        }
        foreach (var (tier, bytes) in totals.BytesMovedByTier)
        {
            _bytesMoved.With(tier).Set(bytes);
        }
        foreach (var (tier, tokens) in totals.TokensLoadedByTier)
        {
            _tokensLoaded.With(tier).Set(tokens);
        }
    }
}
