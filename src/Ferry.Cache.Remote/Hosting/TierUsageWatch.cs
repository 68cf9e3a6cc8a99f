using Ferry.Cache.Tiers;

namespace Ferry.Cache.Remote.Hosting;

/// <summary>Measures the tiers from time to time, so that a scrape never waits for a store.</summary>
internal sealed class TierUsageWatch : IAsyncDisposable
{
    /// <summary>A walk over a shared store is dear; its own count of what it wrote is exact in between.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<GuardedTier> _tiers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private volatile IReadOnlyDictionary<string, long> _latest = new Dictionary<string, long>();

    public TierUsageWatch(IReadOnlyList<GuardedTier> tiers, TimeProvider clock)
    {
        _tiers = tiers;
        _watching = Task.Run(() => WatchAsync(clock, _stop.Token));
    }

    /// <summary>Bytes by kind of tier, as measured last; empty before the first measurement.</summary>
    public IReadOnlyDictionary<string, long> Latest => _latest;

    /// <summary>Measures now.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var measured = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var tier in _tiers.Where(tier => tier.Capabilities.HasFlag(TierCapabilities.Measure)))
        {
            if (await tier.MeasureAsync(cancellationToken) is { } usage)
            {
                measured[tier.Kind] = usage.Bytes;
            }
            else if (_latest.TryGetValue(tier.Kind, out var before))
            {
                measured[tier.Kind] = before;   // off now: the last figure is the best one
            }
        }
        _latest = measured;
    }

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
                await RefreshAsync(stop);
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The exchange stops.
        }
    }
}
