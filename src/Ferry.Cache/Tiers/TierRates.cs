namespace Ferry.Cache.Tiers;

/// <param name="Latency">Of a look-up: what a read takes before its first byte.</param>
/// <param name="BytesPerSecond">Of one read among those that run beside it.</param>
public readonly record struct TierRates(TimeSpan Latency, double BytesPerSecond);
