using System.Text;
using Ferry.Cache;
using Ferry.Cache.Metrics;
using Ferry.Kv.Metrics;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Metrics;

public sealed class CacheMetricsTests
{
    [Fact]
    public async Task WriteText_AfterPutsHitsEvictionsAndTierReads_SaysSo()
    {
        var layout = TestRecords.Layout();
        var recordBytes = KvRecord.HeaderBytes + layout.PayloadBytes;
        var time = new FakeTimeProvider();
        var tier = new FaultyTier("disk");
        await using var cache = new RecordCache(TestRecords.Store(2 * recordBytes, time), [tier], new RecordCacheOptions(), time, NullLoggerFactory.Instance);
        var registry = new MetricRegistry();
        var metrics = new CacheMetrics(registry, cache);
        var (header, record) = TestRecords.Record(9, layout);
        await tier.PutAsync(header, record, CancellationToken.None);

        cache.Memory.Put(1, layout)!.Dispose();
        time.Advance(TimeSpan.FromSeconds(20));
        cache.Memory.Put(2, layout)!.Dispose();
        (await cache.TryGetAsync(TestRecords.Key(9), TestRecords.Whole(), CancellationToken.None))!.Dispose();
        cache.Memory.Remove(TestRecords.Key(2));
        await metrics.MeasureTiersAsync(CancellationToken.None);
        var text = new StringBuilder();
        registry.WriteText(text);

        foreach (var line in (string[])
        [
            "ferry_cache_memory_stored_total 3.0", "ferry_cache_memory_left_total{reason=\"capacity\"} 1.0", "ferry_cache_memory_left_total{reason=\"removed\"} 1.0",
            $"ferry_cache_memory_left_bytes_total{{reason=\"capacity\"}} {recordBytes}.0", "ferry_cache_memory_lookups_total{result=\"hit\"} 1.0",
            "ferry_cache_evicted_age_seconds_bucket{le=\"15.0\"} 0.0", "ferry_cache_evicted_age_seconds_bucket{le=\"60.0\"} 1.0",
            "ferry_cache_tier_reads_total{tier=\"disk\"} 1.0", $"ferry_cache_tier_used_bytes{{tier=\"disk\"}} {recordBytes}.0",
            "ferry_cache_tier_operation_seconds_count{tier=\"disk\",operation=\"read\"} 1.0", "ferry_cache_tier_up{tier=\"disk\",direction=\"read\"} 1.0",
            "ferry_cache_load_decisions_total{reason=\"loading_is_faster\"} 0.0", "ferry_cache_prefetches_total{outcome=\"loaded\"} 0.0", "ferry_cache_prefetch_ahead_bytes 0.0",
        ])
        {
            Assert.Contains(line + "\n", text.ToString());
        }
    }
}
