using Ferry.Cache.Metrics;
using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote.Hosting;

/// <summary>Measures the tiers from time to time, so that a scrape never waits for a store.</summary>
internal sealed class TierUsageWatch : IAsyncDisposable
{
    /// <summary>A walk over a shared store is dear, and what it says changes slowly.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly CacheMetrics _metrics;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private volatile IReadOnlyDictionary<string, TierUsage> _latest = new Dictionary<string, TierUsage>();

    public TierUsageWatch(CacheMetrics metrics, TimeProvider clock)
    {
        _metrics = metrics;
        _watching = Task.Run(() => WatchAsync(clock, _stop.Token));
    }

    /// <summary>By the tier's name, as measured last; a tier that is off keeps its last figure.</summary>
    public IReadOnlyDictionary<string, TierUsage> Latest => _latest;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync(TimeProvider clock, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            do
            {
                var merged = new Dictionary<string, TierUsage>(_latest);
                foreach (var (name, usage) in await _metrics.MeasureTiersAsync(stop))
                {
                    merged[name] = usage;
                }
                _latest = merged;
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The exchange stops.
        }
    }
}
