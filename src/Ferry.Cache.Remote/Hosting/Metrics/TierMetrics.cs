using Ferry.Kv.Metrics;

namespace Ferry.Cache.Remote.Hosting.Metrics;

/// <summary>How long the tiers take and why they fail.</summary>
internal sealed class TierMetrics
{
    /// <summary>Seconds of one operation: 100 µs (a page of a local disk) to 30 s (past every deadline).</summary>
    private static readonly double[] OperationSeconds = [100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, .1, .25, .5, 1, 2.5, 5, 10, 30];

    public TierMetrics(MetricRegistry registry)
    {
        Seconds = registry.Histogram("ferry_cache_tier_seconds", "Seconds of one operation of a tier.", OperationSeconds, "tier", "operation");
        Failures = registry.Counter("ferry_cache_tier_failures_total", "Operations of a tier that failed, by reason.", "tier", "operation", "reason");
    }

    public MetricFamily Seconds { get; }

    public MetricFamily Failures { get; }
}
