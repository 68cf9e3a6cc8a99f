using Ferry.Cache.Chains;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Kv.Metrics;

namespace Ferry.Cache.Metrics;

/// <summary>What a cache does and holds, as series of a registry: memory, departures by reason, lifetimes, tiers with their latencies, decisions.</summary>
/// <remarks>Made once, at start, before the first record. Figures are copied when the registry is read; only histograms are written as things happen.</remarks>
public sealed class CacheMetrics : IRecordObserver
{
    private readonly RecordCache _cache;
    private readonly MetricSeries _age;
    private readonly MetricSeries _idle;
    private readonly MemoryMetrics _memory;
    private readonly TierMetrics _tiers;
    private readonly MetricFamily _decisions;
    private readonly MetricFamily _prefetches;
    private readonly MetricSeries _prefetchAhead;

    /// <param name="registry">Nobody registers names that begin with <c>ferry_cache_</c> beside this.</param>
    public CacheMetrics(MetricRegistry registry, RecordCache cache)
    {
        _cache = cache;
        _memory = new MemoryMetrics(registry);
        _tiers = new TierMetrics(registry, cache);
        // From a second to a day: a chunk that leaves younger than a conversation's pause says that the memory is too small.
        double[] lifetimes = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
        _age = registry.Histogram("ferry_cache_evicted_age_seconds", "Time in memory of chunks that were evicted.", lifetimes).With();
        _idle = registry.Histogram("ferry_cache_evicted_idle_seconds", "Time since their last use of chunks that were evicted.", lifetimes).With();
        _decisions = registry.Counter("ferry_cache_load_decisions_total", "Chains whose loading was weighed against computing, by what was decided.", "reason");
        _prefetches = registry.Counter(
            "ferry_cache_prefetches_total", "Chunks brought up into memory because they were looked up (loaded), and what became of them; dropped: too many were wanted.", "outcome");
        _prefetchAhead = registry.Gauge("ferry_cache_prefetch_ahead_bytes", "Record bytes that were brought up for a look-up and wait to be asked for.").With();
        cache.Memory.Observe(this);
        registry.OnCollect(Copy);
    }

    /// <summary>Asks the tiers how full they are, which may take a while; what they said last is what the metrics show.</summary>
    /// <returns>By the tier's name; a tier that is off now or measures nothing is left out.</returns>
    public Task<IReadOnlyDictionary<string, Tiers.TierUsage>> MeasureTiersAsync(CancellationToken cancellationToken) => _tiers.MeasureAsync(cancellationToken);

    void IRecordObserver.Stored(in ChunkEvent stored)
    {
        // Counted by the store.
    }

    void IRecordObserver.Left(in ChunkEvent left, EvictionReason reason)
    {
        if (reason is EvictionReason.Capacity or EvictionReason.Quota)
        {
            _age.Observe(left.Age.TotalSeconds);
            _idle.Observe(left.Idle.TotalSeconds);
        }
    }

    private void Copy()
    {
        _memory.Copy(_cache.Memory.Snapshot());
        _tiers.Copy(_cache.SnapshotTiers());
        var prefetches = _cache.Prefetcher.Counts;
        _prefetches.With("loaded").Set(prefetches.Loaded);
        _prefetches.With("used").Set(prefetches.Used);
        _prefetches.With("unused").Set(prefetches.Unused);
        _prefetches.With("dropped").Set(prefetches.Dropped);
        _prefetchAhead.Set(prefetches.AheadBytes);
        foreach (var reason in Enum.GetValues<LoadReason>())
        {
            _decisions.With(MetricWords.Of(reason.ToString())).Set(_cache.CountOf(reason));
        }
    }
}
